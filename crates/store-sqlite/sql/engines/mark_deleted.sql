-- 1 engine key, 2 operation id
UPDATE engines SET deleted = 1, deletion_op_id = ?2 WHERE engine_key = ?1
