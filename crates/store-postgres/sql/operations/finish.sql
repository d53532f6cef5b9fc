-- 1 id, 2 time
UPDATE operations SET done = TRUE, update_time = $2 WHERE op_id = $1
