SELECT session_key, user_key, engine_key FROM sessions INDEXED BY sessions_deleted WHERE deleted = 1 LIMIT 1
