-- 1 user key
SELECT key, value FROM user_state WHERE user_key = ?1 ORDER BY key
