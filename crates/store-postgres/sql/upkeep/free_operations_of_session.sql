-- 1 engine key, 2 session key, 3 limit
DELETE FROM operations
WHERE op_id IN (
    SELECT op_id FROM operations WHERE engine_key = $1 AND session_key = $2 ORDER BY create_time LIMIT $3)
