-- 1 engine key, 2 session key, 0 for the engine's own, 3 limit
DELETE FROM requests
WHERE engine_key = $1 AND session_key = $2 AND request_id IN (
    SELECT request_id FROM requests WHERE engine_key = $1 AND session_key = $2 ORDER BY request_id LIMIT $3)
