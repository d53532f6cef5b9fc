-- 1 the key to go on after
SELECT e.engine_key, e.project, e.location, e.engine_id, e.display_name, e.description, e.labels, e.settings,
       e.revision, e.create_time, e.update_time, CASE e.deleted WHEN 1 THEN e.deletion_op_id END,
       CASE e.deleted WHEN 0 THEN a.state_bytes ELSE 0 END
FROM engines AS e
LEFT JOIN apps AS a ON a.engine_key = e.engine_key
WHERE e.engine_key > ?1
ORDER BY e.engine_key
