-- 1 engine key, 2 key
DELETE FROM app_state WHERE engine_key = ?1 AND key = ?2
