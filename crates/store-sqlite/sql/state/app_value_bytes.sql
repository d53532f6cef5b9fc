-- 1 engine key, 2 key
SELECT length(value) FROM app_state WHERE engine_key = ?1 AND key = ?2
