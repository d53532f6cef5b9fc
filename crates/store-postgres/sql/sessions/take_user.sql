-- 1 engine key, 2 the key if the user is new, 3 user id: finds or makes the user, and locks it either way
INSERT INTO users (engine_key, user_key, user_id, state_bytes) VALUES ($1, $2, $3, 0)
ON CONFLICT (engine_key, user_id) DO UPDATE SET state_bytes = users.state_bytes
RETURNING user_key, state_bytes
