-- 1 id
DELETE FROM operations WHERE op_id = $1
