-- 1 session key, 2 key, 3 value
INSERT INTO session_state (session_key, key, value) VALUES (?1, ?2, ?3)
ON CONFLICT (session_key, key) DO UPDATE SET value = excluded.value
