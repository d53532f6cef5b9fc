-- 1 session key, 2 limit
SELECT key, length(value) FROM session_state WHERE session_key = ?1 LIMIT ?2
