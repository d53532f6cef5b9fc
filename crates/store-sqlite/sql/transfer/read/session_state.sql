-- 1 and 2 the place to go on after (session key, key)
SELECT s.engine_key, v.session_key, v.key, v.value
FROM session_state AS v
CROSS JOIN sessions AS s ON s.session_key = v.session_key
CROSS JOIN engines AS e ON e.engine_key = s.engine_key
WHERE (v.session_key, v.key) > (?1, ?2) AND s.deleted = 0 AND e.deleted = 0
ORDER BY v.session_key, v.key
