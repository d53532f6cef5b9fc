-- 1 engine key, 2 user key; a user without state and live sessions leaves nothing behind
DELETE FROM users
WHERE engine_key = $1 AND user_key = $2 AND state_bytes = 0
  AND NOT EXISTS (SELECT 1 FROM user_state WHERE engine_key = $1 AND user_key = $2)
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE engine_key = $1 AND user_key = $2 AND NOT deleted)
