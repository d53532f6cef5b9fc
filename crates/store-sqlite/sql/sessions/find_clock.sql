-- 1 engine key, 2 session id: what an append must know
SELECT s.session_key, s.user_key, s.expire_time, c.update_time, c.last_sequence, c.state_bytes
FROM sessions AS s INDEXED BY sessions_live
CROSS JOIN session_clock AS c ON c.session_key = s.session_key
WHERE s.engine_key = ?1 AND s.session_id = ?2 AND s.deleted = 0
