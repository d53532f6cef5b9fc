SELECT engine_key, session_key, user_key FROM sessions
WHERE deleted ORDER BY engine_key, session_key LIMIT 1 FOR UPDATE SKIP LOCKED
