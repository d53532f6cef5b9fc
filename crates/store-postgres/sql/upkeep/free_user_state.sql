-- 1 engine key, 2 user key, 3 limit
DELETE FROM user_state
WHERE engine_key = $1 AND user_key = $2 AND key_hash IN (
    SELECT key_hash FROM user_state WHERE engine_key = $1 AND user_key = $2 ORDER BY key_hash LIMIT $3)
