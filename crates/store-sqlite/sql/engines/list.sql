-- 1 project, 2 location, 3 and 4 the place to go on below (time, engine id), 5 earliest create time
SELECT engine_key, engine_id, display_name, description, labels, settings, revision, create_time, update_time
FROM engines INDEXED BY engines_listed
WHERE project = ?1 AND location = ?2 AND deleted = 0
  AND (create_time, engine_id) < (?3, ?4) AND create_time >= ?5
ORDER BY create_time DESC, engine_id DESC
