-- 1 engine key, 2 session id
SELECT session_key, expire_time FROM sessions INDEXED BY sessions_live
WHERE engine_key = ?1 AND session_id = ?2 AND deleted = 0
