-- 1 user key; a user without state and live sessions leaves nothing behind
DELETE FROM users
WHERE user_key = ?1 AND state_bytes = 0
  AND NOT EXISTS (SELECT 1 FROM user_state WHERE user_key = ?1)
  AND NOT EXISTS (SELECT 1 FROM sessions INDEXED BY sessions_of_user WHERE user_key = ?1 AND deleted = 0)
