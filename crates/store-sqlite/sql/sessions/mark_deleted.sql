-- 1 session key
UPDATE sessions SET deleted = 1 WHERE session_key = ?1
