-- 1 engine id: the events of its live sessions by sequence, and the last sequence given out
SELECT s.session_id, c.last_sequence, e.sequence, e.invocation_id
FROM engines AS g
JOIN sessions AS s ON s.engine_key = g.engine_key
JOIN session_clock AS c ON c.session_key = s.session_key
LEFT JOIN events AS e ON e.session_key = s.session_key
WHERE g.engine_id = ?1 AND g.deleted = 0 AND s.deleted = 0
ORDER BY s.session_id, e.sequence
