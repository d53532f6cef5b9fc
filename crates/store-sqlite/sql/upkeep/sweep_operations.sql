-- 1 ended before, 2 limit
DELETE FROM operations
WHERE op_id IN (
    SELECT op_id FROM operations INDEXED BY operations_ended
    WHERE done = 1 AND update_time < ?1 ORDER BY update_time LIMIT ?2)
