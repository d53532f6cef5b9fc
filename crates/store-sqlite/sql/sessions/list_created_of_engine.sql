-- 1 engine key, 2 earliest create time, 3 latest, 4 now; the order is added by the caller
SELECT s.session_key, s.user_key, s.session_id, u.user_id, s.display_name, s.labels,
       s.create_time, c.update_time, s.expire_time
FROM sessions AS s INDEXED BY sessions_of_engine
CROSS JOIN session_clock AS c ON c.session_key = s.session_key
CROSS JOIN users AS u ON u.user_key = s.user_key
WHERE s.engine_key = ?1 AND s.deleted = 0 AND s.create_time BETWEEN ?2 AND ?3 AND s.expire_time > ?4
