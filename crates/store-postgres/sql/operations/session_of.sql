-- 1 engine key, 2 session key, 3 now
SELECT session_id FROM sessions
WHERE engine_key = $1 AND session_key = $2 AND NOT deleted AND expire_time > $3
