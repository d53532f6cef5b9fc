-- 1 engine key, 2 limit
SELECT key, length(value) FROM app_state WHERE engine_key = ?1 LIMIT ?2
