-- 1 the id to go on after, 2 limit; an operation is gone with what it hangs from
SELECT o.op_id, o.project, o.location, o.engine_key, o.session_key, o.kind, o.api_version, o.done, o.create_time,
       o.update_time
FROM operations AS o
WHERE o.op_id > $1
  AND (o.engine_key IS NULL OR (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = o.engine_key))
  AND (o.session_key IS NULL
       OR (SELECT NOT s.deleted FROM sessions AS s
           WHERE s.engine_key = o.engine_key AND s.session_key = o.session_key))
ORDER BY o.op_id
LIMIT $2
