-- $engine, an engine id: the events of its live sessions by sequence, and the last sequence given out
SELECT convert_from(s.session_id, 'UTF8'), c.last_sequence, e.sequence, convert_from(e.invocation_id, 'UTF8')
FROM engines AS g
JOIN sessions AS s ON s.engine_key = g.engine_key
JOIN session_clock AS c ON c.engine_key = s.engine_key AND c.session_key = s.session_key
LEFT JOIN events AS e ON e.engine_key = s.engine_key AND e.session_key = s.session_key
WHERE g.engine_id = convert_to('$engine', 'UTF8') AND NOT g.deleted AND NOT s.deleted
ORDER BY s.session_id, e.sequence
