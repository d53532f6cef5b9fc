-- 1 engine keys, 2 session keys, 3 session ids: the clocks of sessions that are not deleted, locked in the order of
-- their keys
SELECT t.place, s.expire_time, c.update_time, c.last_sequence, c.state_bytes
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[]) WITH ORDINALITY
     AS t (engine_key, session_key, session_id, place)
CROSS JOIN LATERAL (
    SELECT expire_time FROM sessions WHERE engine_key = t.engine_key AND session_key = t.session_key LIMIT 1) AS s
JOIN session_clock AS c
  ON c.engine_key = t.engine_key AND c.session_key = t.session_key AND c.session_id = t.session_id
ORDER BY c.engine_key, c.session_key
FOR UPDATE OF c
