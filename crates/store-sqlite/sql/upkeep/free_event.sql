-- 1 session key, 2 event key
DELETE FROM events WHERE event_key = ?2 AND session_key = ?1
