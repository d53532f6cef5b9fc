-- 1 engine keys, 2 session ids: the keys of sessions that are not deleted, and of their users. Each lookup stands alone,
-- so that no statistics make the planner read an engine's sessions for one of them.
SELECT t.place, s.session_key, s.user_key
FROM unnest($1::BIGINT[], $2::BYTEA[]) WITH ORDINALITY AS t (engine_key, session_id, place)
CROSS JOIN LATERAL (
    SELECT session_key, user_key FROM sessions
    WHERE engine_key = t.engine_key AND session_id = t.session_id AND NOT deleted LIMIT 1) AS s
