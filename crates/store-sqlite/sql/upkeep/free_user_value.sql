-- 1 user key, 2 key
DELETE FROM user_state WHERE user_key = ?1 AND key = ?2
