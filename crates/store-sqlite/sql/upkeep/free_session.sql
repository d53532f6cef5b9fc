-- 1 session key
DELETE FROM sessions WHERE session_key = ?1
