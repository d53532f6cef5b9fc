-- 1 engine key
SELECT engine_key FROM apps WHERE engine_key = $1 FOR UPDATE
