-- 1 and 2 the place to go on below (time, id), 3 earliest create time, 4 project, 5 location
SELECT op_id, kind, api_version, done, create_time, update_time
FROM operations INDEXED BY operations_of_location
WHERE project = ?4 AND location = ?5 AND engine_key IS NULL AND session_key IS NULL
  AND (create_time, op_id) < (?1, ?2) AND create_time >= ?3
ORDER BY create_time DESC, op_id DESC
