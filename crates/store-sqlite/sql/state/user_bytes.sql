-- 1 user key
SELECT state_bytes FROM users WHERE user_key = ?1
