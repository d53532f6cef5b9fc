-- 1 the key to go on after
SELECT s.session_key, s.engine_key, s.user_key, s.session_id, s.display_name, s.labels, s.create_time, s.expire_time,
       c.update_time, c.last_sequence, c.state_bytes
FROM sessions AS s
CROSS JOIN session_clock AS c ON c.session_key = s.session_key
CROSS JOIN engines AS e ON e.engine_key = s.engine_key
WHERE s.session_key > ?1 AND s.deleted = 0 AND e.deleted = 0
ORDER BY s.session_key
