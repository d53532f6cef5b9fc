-- 1 user key, 2 key
SELECT length(value) FROM user_state WHERE user_key = ?1 AND key = ?2
