-- 1 engine key, 2 user id
SELECT user_key FROM users WHERE engine_key = $1 AND user_id = $2
