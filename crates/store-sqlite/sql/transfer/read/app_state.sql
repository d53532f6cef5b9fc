-- 1 and 2 the place to go on after (engine key, key)
SELECT v.engine_key, v.engine_key, v.key, v.value
FROM app_state AS v
CROSS JOIN engines AS e ON e.engine_key = v.engine_key
WHERE (v.engine_key, v.key) > (?1, ?2) AND e.deleted = 0
ORDER BY v.engine_key, v.key
