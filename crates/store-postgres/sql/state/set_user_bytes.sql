-- 1 engine keys, 2 user keys, 3 bytes
UPDATE users AS u SET state_bytes = t.state_bytes
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) AS t (engine_key, user_key, state_bytes)
WHERE u.engine_key = t.engine_key AND u.user_key = t.user_key
