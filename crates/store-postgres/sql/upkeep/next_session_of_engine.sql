-- 1 engine key
SELECT session_key, user_key FROM sessions WHERE engine_key = $1 ORDER BY session_key LIMIT 1
