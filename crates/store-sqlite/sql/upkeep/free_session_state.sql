-- 1 session key, 2 limit
DELETE FROM session_state
WHERE session_key = ?1 AND key IN (SELECT key FROM session_state WHERE session_key = ?1 LIMIT ?2)
