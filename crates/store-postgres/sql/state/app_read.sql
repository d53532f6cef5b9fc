-- 1 engine key
SELECT key, value FROM app_state WHERE engine_key = $1
