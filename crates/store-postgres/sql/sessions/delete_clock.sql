-- 1 engine key, 2 session key
DELETE FROM session_clock WHERE engine_key = $1 AND session_key = $2
