-- 1 session key
DELETE FROM session_clock WHERE session_key = ?1
