-- 1 engine key, 2 session key
UPDATE sessions SET deleted = TRUE WHERE engine_key = $1 AND session_key = $2
