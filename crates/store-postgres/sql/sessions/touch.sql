-- 1 engine key, 2 session key, 3 update time
UPDATE session_clock SET update_time = $3 WHERE engine_key = $1 AND session_key = $2
