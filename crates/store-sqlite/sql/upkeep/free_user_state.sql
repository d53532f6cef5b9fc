-- 1 user key, 2 limit
DELETE FROM user_state
WHERE user_key = ?1 AND key IN (SELECT key FROM user_state WHERE user_key = ?1 LIMIT ?2)
