-- 1 engine key
SELECT user_key FROM users WHERE engine_key = ?1 LIMIT 1
