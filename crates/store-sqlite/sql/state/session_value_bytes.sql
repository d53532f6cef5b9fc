-- 1 session key, 2 key
SELECT length(value) FROM session_state WHERE session_key = ?1 AND key = ?2
