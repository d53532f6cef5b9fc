-- 1 engine key
SELECT state_bytes FROM apps WHERE engine_key = $1
