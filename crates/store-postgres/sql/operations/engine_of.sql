-- 1 engine key
SELECT engine_id FROM engines WHERE engine_key = $1 AND NOT deleted
