-- 1, 2 and 3 the place to go on after (engine key, session key, request id)
SELECT r.engine_key, r.session_key, r.request_id, r.fingerprint, r.answer, r.time
FROM requests AS r
CROSS JOIN engines AS e ON e.engine_key = r.engine_key
LEFT JOIN sessions AS s ON s.session_key = r.session_key
WHERE (r.engine_key, r.session_key, r.request_id) > (?1, ?2, ?3)
  AND e.deleted = 0 AND (r.session_key = 0 OR s.deleted = 0)
ORDER BY r.engine_key, r.session_key, r.request_id
