-- 1 engine key, 2 session key
SELECT update_time FROM session_clock WHERE engine_key = $1 AND session_key = $2 FOR UPDATE
