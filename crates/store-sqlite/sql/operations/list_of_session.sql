-- 1 and 2 the place to go on below (time, id), 3 earliest create time, 4 session key
SELECT op_id, kind, api_version, done, create_time, update_time
FROM operations INDEXED BY operations_of_session
WHERE session_key = ?4 AND session_key IS NOT NULL
  AND (create_time, op_id) < (?1, ?2) AND create_time >= ?3
ORDER BY create_time DESC, op_id DESC
