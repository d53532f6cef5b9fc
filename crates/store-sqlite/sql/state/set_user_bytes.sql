-- 1 user key, 2 bytes
UPDATE users SET state_bytes = ?2 WHERE user_key = ?1
