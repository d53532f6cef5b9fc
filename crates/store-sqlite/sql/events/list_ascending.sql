-- 1 session key, 2 and 3 the place to go on after (timestamp, sequence), 4 the last timestamp
SELECT timestamp, sequence, event_id, author, invocation_id, payload
FROM events INDEXED BY events_ordered
WHERE session_key = ?1 AND (timestamp, sequence) > (?2, ?3) AND timestamp <= ?4
ORDER BY timestamp, sequence
