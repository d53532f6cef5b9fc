-- 1 ended before, 2 limit
DELETE FROM operations
WHERE op_id IN (
    SELECT op_id FROM operations WHERE done AND update_time < $1 ORDER BY update_time LIMIT $2
    FOR UPDATE SKIP LOCKED)
