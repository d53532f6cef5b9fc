-- 1 and 2 the place to go on after (engine key, session key), 3 limit
SELECT s.engine_key, s.session_key, s.user_key, s.session_id, s.display_name, s.labels, s.create_time, s.expire_time,
       c.update_time, c.last_sequence, c.state_bytes
FROM (
    SELECT * FROM sessions AS s
    WHERE (s.engine_key, s.session_key) > ($1, $2) AND NOT s.deleted
      AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = s.engine_key)
    ORDER BY s.engine_key, s.session_key
    LIMIT $3) AS s
LEFT JOIN session_clock AS c ON c.engine_key = s.engine_key AND c.session_key = s.session_key
ORDER BY s.engine_key, s.session_key
