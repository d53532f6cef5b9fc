-- 1 and 2 the place to go on after (user key, key)
SELECT u.engine_key, v.user_key, v.key, v.value
FROM user_state AS v
CROSS JOIN users AS u ON u.user_key = v.user_key
CROSS JOIN engines AS e ON e.engine_key = u.engine_key
WHERE (v.user_key, v.key) > (?1, ?2) AND e.deleted = 0
ORDER BY v.user_key, v.key
