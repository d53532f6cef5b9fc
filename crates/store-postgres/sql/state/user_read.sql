-- 1 engine key, 2 user keys
SELECT user_key, key, value FROM user_state WHERE engine_key = $1 AND user_key = ANY ($2)
