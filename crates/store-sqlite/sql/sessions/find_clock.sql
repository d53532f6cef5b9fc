-- 1 engine key, 2 session id: what an append must know, the sizes of all three states included
SELECT s.session_key, s.user_key, s.expire_time, c.update_time, c.last_sequence,
       a.state_bytes, u.state_bytes, c.state_bytes
FROM sessions AS s INDEXED BY sessions_live
CROSS JOIN session_clock AS c ON c.session_key = s.session_key
CROSS JOIN users AS u ON u.user_key = s.user_key
CROSS JOIN apps AS a ON a.engine_key = s.engine_key
WHERE s.engine_key = ?1 AND s.session_id = ?2 AND s.deleted = 0
