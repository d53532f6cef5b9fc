-- 1 engine key, 2 user key
SELECT user_key FROM users WHERE engine_key = $1 AND user_key = $2 FOR UPDATE
