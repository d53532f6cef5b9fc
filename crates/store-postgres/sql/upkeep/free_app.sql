-- 1 engine key
DELETE FROM apps WHERE engine_key = $1
