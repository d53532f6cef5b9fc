-- 1 engine key, 2 limit
DELETE FROM operations
WHERE op_id IN (
    SELECT op_id FROM operations INDEXED BY operations_of_engine
    WHERE engine_key = ?1 AND engine_key IS NOT NULL LIMIT ?2)
