-- 1, 2 and 3 the place to go on after (engine key, session key, request id), 4 limit
SELECT r.engine_key, r.session_key, r.request_id, r.fingerprint, r.answer, r.time
FROM requests AS r
WHERE (r.engine_key, r.session_key, r.request_id) > ($1, $2, $3)
  AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = r.engine_key)
  AND (r.session_key = 0
       OR (SELECT NOT s.deleted FROM sessions AS s
           WHERE s.engine_key = r.engine_key AND s.session_key = r.session_key))
ORDER BY r.engine_key, r.session_key, r.request_id
LIMIT $4
