-- 1 recorded before, 2 limit
SELECT engine_key, session_key, request_id FROM requests INDEXED BY requests_recorded
WHERE time < ?1 ORDER BY time LIMIT ?2
