-- 1 engine key
SELECT session_key, user_key, engine_key FROM sessions INDEXED BY sessions_of_engine
WHERE deleted = 0 AND engine_key = ?1 LIMIT 1
