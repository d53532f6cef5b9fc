-- 1 engine key, 2 session id, 3 now
SELECT s.session_key, s.user_key, s.session_id, u.user_id, s.display_name, s.labels,
       s.create_time, c.update_time, s.expire_time
FROM sessions AS s INDEXED BY sessions_live
CROSS JOIN session_clock AS c ON c.session_key = s.session_key
CROSS JOIN users AS u ON u.user_key = s.user_key
WHERE s.engine_key = ?1 AND s.session_id = ?2 AND s.deleted = 0 AND s.expire_time > ?3
