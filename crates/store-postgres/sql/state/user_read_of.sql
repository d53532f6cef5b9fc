-- 1 engine key, 2 user id
SELECT k.key, k.value
FROM users AS u
JOIN user_state AS k ON k.engine_key = u.engine_key AND k.user_key = u.user_key
WHERE u.engine_key = $1 AND u.user_id = $2
