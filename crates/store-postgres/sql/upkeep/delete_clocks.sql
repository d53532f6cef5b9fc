-- 1 engine keys, 2 session keys
DELETE FROM session_clock AS c
USING unnest($1::BIGINT[], $2::BIGINT[]) AS t (engine_key, session_key)
WHERE c.engine_key = t.engine_key AND c.session_key = t.session_key
