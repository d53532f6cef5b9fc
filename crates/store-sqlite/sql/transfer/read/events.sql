-- 1 the key to go on after: in the order in which they came
SELECT v.event_key, s.engine_key, v.session_key, v.timestamp, v.sequence, v.event_id, v.author, v.invocation_id,
       v.payload
FROM events AS v
CROSS JOIN sessions AS s ON s.session_key = v.session_key
CROSS JOIN engines AS e ON e.engine_key = s.engine_key
WHERE v.event_key > ?1 AND s.deleted = 0 AND e.deleted = 0
ORDER BY v.event_key
