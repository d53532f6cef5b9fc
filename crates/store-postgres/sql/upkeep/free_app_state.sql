-- 1 engine key, 2 limit
DELETE FROM app_state
WHERE engine_key = $1 AND key_hash IN (
    SELECT key_hash FROM app_state WHERE engine_key = $1 ORDER BY key_hash LIMIT $2)
