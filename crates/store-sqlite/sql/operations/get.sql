-- 1 id, 2 project, 3 location, 4 now; an operation is as visible as what it hangs from
SELECT o.op_id, o.kind, o.api_version, o.done, o.create_time, o.update_time, e.engine_id, s.session_id
FROM operations AS o
LEFT JOIN sessions AS s ON s.session_key = o.session_key
LEFT JOIN engines AS e ON e.engine_key = coalesce(o.engine_key, s.engine_key)
WHERE o.op_id = ?1 AND o.project = ?2 AND o.location = ?3
  AND (o.session_key IS NULL OR (s.deleted = 0 AND s.expire_time > ?4))
  AND ((o.session_key IS NULL AND o.engine_key IS NULL) OR e.deleted = 0)
