-- 1 key, 2 engine key, 3 user id, 4 bytes of state
INSERT INTO users (user_key, engine_key, user_id, state_bytes) VALUES (?1, ?2, ?3, ?4)
