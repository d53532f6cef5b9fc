SELECT engine_key, deletion_op_id FROM engines INDEXED BY engines_deleted WHERE deleted = 1 LIMIT 1
