-- 1 engine key, 2 session key
DELETE FROM sessions WHERE engine_key = $1 AND session_key = $2
