-- 1 engine key, 2 session id
SELECT session_key, expire_time FROM sessions
WHERE engine_key = $1 AND session_id = $2 AND NOT deleted
