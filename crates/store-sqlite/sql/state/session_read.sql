-- 1 session key
SELECT key, value FROM session_state WHERE session_key = ?1 ORDER BY key
