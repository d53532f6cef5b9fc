-- 1 user key, 2 key, 3 value
INSERT INTO user_state (user_key, key, value) VALUES (?1, ?2, ?3)
ON CONFLICT (user_key, key) DO UPDATE SET value = excluded.value
