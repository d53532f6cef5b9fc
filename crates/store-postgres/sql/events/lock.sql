-- 1 engine keys, 2 session ids: what appends must know, locked in the order of the keys. Each lookup stands alone, so
-- that no statistics make the planner read an engine's sessions for one of them.
SELECT t.place, s.session_key, s.user_key, s.expire_time, c.update_time, c.last_sequence,
       a.state_bytes, u.state_bytes, c.state_bytes
FROM unnest($1::BIGINT[], $2::BYTEA[]) WITH ORDINALITY AS t (engine_key, session_id, place)
CROSS JOIN LATERAL (
    SELECT engine_key FROM engines WHERE engine_key = t.engine_key AND NOT deleted LIMIT 1) AS e
CROSS JOIN LATERAL (
    SELECT session_key, user_key, expire_time FROM sessions
    WHERE engine_key = t.engine_key AND session_id = t.session_id AND NOT deleted LIMIT 1) AS s
CROSS JOIN LATERAL (
    SELECT state_bytes FROM users WHERE engine_key = t.engine_key AND user_key = s.user_key LIMIT 1) AS u
CROSS JOIN LATERAL (
    SELECT state_bytes FROM apps WHERE engine_key = t.engine_key LIMIT 1) AS a
JOIN session_clock AS c ON c.engine_key = t.engine_key AND c.session_key = s.session_key
ORDER BY c.engine_key, c.session_key
FOR UPDATE OF c
