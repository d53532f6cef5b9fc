-- 1 user key
DELETE FROM users WHERE user_key = ?1
