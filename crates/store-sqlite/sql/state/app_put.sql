-- 1 engine key, 2 key, 3 value
INSERT INTO app_state (engine_key, key, value) VALUES (?1, ?2, ?3)
ON CONFLICT (engine_key, key) DO UPDATE SET value = excluded.value
