-- 1 id, 2 time
UPDATE operations SET done = 1, update_time = ?2 WHERE op_id = ?1
