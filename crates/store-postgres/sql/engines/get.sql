-- 1 project, 2 location, 3 engine id
SELECT engine_key, engine_id, display_name, description, labels, revision, create_time, update_time, settings
FROM engines
WHERE project = $1 AND location = $2 AND engine_id = $3 AND NOT deleted
