-- 1 project, 2 location, 3 engine id
SELECT engine_key FROM engines
WHERE project = $1 AND location = $2 AND engine_id = $3 AND NOT deleted
