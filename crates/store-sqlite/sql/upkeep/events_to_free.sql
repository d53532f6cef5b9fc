-- 1 session key, 2 limit
SELECT event_key, length(payload) FROM events INDEXED BY events_ordered WHERE session_key = ?1 LIMIT ?2
