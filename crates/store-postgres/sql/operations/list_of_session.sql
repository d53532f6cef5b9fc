-- 1 and 2 the place to go on below (time, id), 3 earliest create time, 4 limit, 5 engine key, 6 session key
SELECT op_id, kind, api_version, done, create_time, update_time
FROM operations
WHERE engine_key = $5 AND session_key = $6
  AND (create_time, op_id) < ($1, $2) AND create_time >= $3
ORDER BY create_time DESC, op_id DESC
LIMIT $4
