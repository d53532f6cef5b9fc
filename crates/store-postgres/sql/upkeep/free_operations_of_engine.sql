-- 1 engine key, 2 limit
DELETE FROM operations
WHERE op_id IN (
    SELECT op_id FROM operations WHERE engine_key = $1 AND session_key IS NULL ORDER BY create_time LIMIT $2)
