-- 1 engine key, 2 session keys
SELECT session_key, key, value FROM session_state WHERE engine_key = $1 AND session_key = ANY ($2)
