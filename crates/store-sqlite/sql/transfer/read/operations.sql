-- 1 the id to go on after; an operation is gone with what it hangs from
SELECT o.op_id, o.project, o.location, coalesce(o.engine_key, s.engine_key), o.session_key, o.kind, o.api_version,
       o.done, o.create_time, o.update_time
FROM operations AS o
LEFT JOIN sessions AS s ON s.session_key = o.session_key
LEFT JOIN engines AS e ON e.engine_key = coalesce(o.engine_key, s.engine_key)
WHERE o.op_id > ?1
  AND (o.session_key IS NULL OR s.deleted = 0)
  AND ((o.session_key IS NULL AND o.engine_key IS NULL) OR e.deleted = 0)
ORDER BY o.op_id
