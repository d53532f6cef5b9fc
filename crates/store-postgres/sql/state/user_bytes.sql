-- 1 engine keys, 2 user keys
SELECT t.engine_key, t.user_key, u.state_bytes
FROM unnest($1::BIGINT[], $2::BIGINT[]) AS t (engine_key, user_key)
JOIN users AS u ON u.engine_key = t.engine_key AND u.user_key = t.user_key
