-- 1 engine key, 2 user id
INSERT INTO users (engine_key, user_id, state_bytes) VALUES (?1, ?2, 0)
