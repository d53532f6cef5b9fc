-- 1 id, 2 project, 3 location
SELECT op_id, kind, api_version, done, create_time, update_time, engine_key, session_key
FROM operations
WHERE op_id = $1 AND project = $2 AND location = $3
