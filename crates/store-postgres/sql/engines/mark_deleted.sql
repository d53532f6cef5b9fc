-- 1 engine key, 2 operation id
UPDATE engines SET deleted = TRUE, deletion_op_id = $2 WHERE engine_key = $1
