-- 1 engine keys, 2 session keys: those that nobody else works on
SELECT c.engine_key, c.session_key
FROM unnest($1::BIGINT[], $2::BIGINT[]) AS t (engine_key, session_key)
JOIN session_clock AS c ON c.engine_key = t.engine_key AND c.session_key = t.session_key
ORDER BY c.engine_key, c.session_key
FOR UPDATE OF c SKIP LOCKED
