-- 1 user key, 2 limit
SELECT key, length(value) FROM user_state WHERE user_key = ?1 LIMIT ?2
