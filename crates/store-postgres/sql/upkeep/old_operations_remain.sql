-- 1 ended before
SELECT EXISTS (SELECT 1 FROM operations WHERE done AND update_time < $1)
