-- 1 ended before
SELECT EXISTS (
    SELECT 1 FROM operations INDEXED BY operations_ended WHERE done = 1 AND update_time < ?1)
