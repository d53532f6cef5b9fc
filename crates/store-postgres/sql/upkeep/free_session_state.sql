-- 1 engine key, 2 session key, 3 limit
DELETE FROM session_state
WHERE engine_key = $1 AND session_key = $2 AND key_hash IN (
    SELECT key_hash FROM session_state WHERE engine_key = $1 AND session_key = $2 ORDER BY key_hash LIMIT $3)
