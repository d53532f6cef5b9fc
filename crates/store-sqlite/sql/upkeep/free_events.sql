-- 1 session key, 2 limit
DELETE FROM events
WHERE event_key IN (
    SELECT event_key FROM events INDEXED BY events_ordered WHERE session_key = ?1 LIMIT ?2)
