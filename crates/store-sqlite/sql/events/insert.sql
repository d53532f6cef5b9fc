-- 1 session key, 2 timestamp, 3 sequence, 4 event id, 5 author, 6 invocation id, 7 payload
INSERT INTO events (session_key, timestamp, sequence, event_id, author, invocation_id, payload)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
