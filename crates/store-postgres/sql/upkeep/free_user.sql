-- 1 engine key, 2 user key
DELETE FROM users WHERE engine_key = $1 AND user_key = $2
