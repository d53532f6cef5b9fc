-- 1 session key, 2 key
DELETE FROM session_state WHERE session_key = ?1 AND key = ?2
