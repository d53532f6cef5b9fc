-- 1 engine key, 2 earliest update time, 3 latest, 4 now; the order is added by the caller
SELECT s.session_key, s.user_key, s.session_id, u.user_id, s.display_name, s.labels,
       s.create_time, c.update_time, s.expire_time
FROM session_clock AS c INDEXED BY clock_of_engine
CROSS JOIN sessions AS s ON s.session_key = c.session_key
CROSS JOIN users AS u ON u.user_key = s.user_key
WHERE c.engine_key = ?1 AND c.update_time BETWEEN ?2 AND ?3 AND s.expire_time > ?4
