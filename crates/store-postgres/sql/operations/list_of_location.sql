-- 1 and 2 the place to go on below (time, id), 3 earliest create time, 4 limit, 5 project, 6 location
SELECT op_id, kind, api_version, done, create_time, update_time
FROM operations
WHERE project = $5 AND location = $6 AND engine_key IS NULL
  AND (create_time, op_id) < ($1, $2) AND create_time >= $3
ORDER BY create_time DESC, op_id DESC
LIMIT $4
