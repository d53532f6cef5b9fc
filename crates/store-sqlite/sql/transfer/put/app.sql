-- 1 engine key, 2 bytes of state
INSERT INTO apps (engine_key, state_bytes) VALUES (?1, ?2)
