-- 1 engine key
INSERT INTO apps (engine_key, state_bytes) VALUES ($1, 0)
