-- 1 engine key, 2 now
SELECT EXISTS (
    SELECT 1 FROM sessions INDEXED BY sessions_of_engine
    WHERE engine_key = ?1 AND deleted = 0 AND expire_time > ?2)
