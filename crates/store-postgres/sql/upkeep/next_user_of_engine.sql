-- 1 engine key
SELECT user_key FROM users WHERE engine_key = $1 ORDER BY user_key LIMIT 1
