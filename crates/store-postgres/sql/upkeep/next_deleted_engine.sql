SELECT engine_key, deletion_op_id FROM engines
WHERE deleted ORDER BY engine_key LIMIT 1 FOR UPDATE SKIP LOCKED
