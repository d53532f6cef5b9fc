-- 1 and 2 the place to go on below (time, id), 3 earliest create time, 4 engine key
SELECT op_id, kind, api_version, done, create_time, update_time
FROM operations INDEXED BY operations_of_engine
WHERE engine_key = ?4 AND engine_key IS NOT NULL
  AND (create_time, op_id) < (?1, ?2) AND create_time >= ?3
ORDER BY create_time DESC, op_id DESC
