-- 1 engine keys, 2 session ids: what appends must know, locked in the order of the keys
SELECT t.place, s.session_key, s.user_key, s.expire_time, c.update_time, c.last_sequence,
       a.state_bytes, u.state_bytes, c.state_bytes
FROM unnest($1::BIGINT[], $2::BYTEA[]) WITH ORDINALITY AS t (engine_key, session_id, place)
JOIN engines AS e ON e.engine_key = t.engine_key AND NOT e.deleted
JOIN sessions AS s ON s.engine_key = t.engine_key AND s.session_id = t.session_id AND NOT s.deleted
JOIN session_clock AS c ON c.engine_key = s.engine_key AND c.session_key = s.session_key
JOIN users AS u ON u.engine_key = s.engine_key AND u.user_key = s.user_key
JOIN apps AS a ON a.engine_key = s.engine_key
ORDER BY c.engine_key, c.session_key
FOR UPDATE OF c
