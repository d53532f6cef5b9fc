-- 1 engine key
DELETE FROM engines WHERE engine_key = $1
