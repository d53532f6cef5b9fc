-- 1 engine key, 2 earliest update time, 3 latest, 4 now, 5 user key; place, order and limit are added by the caller
SELECT s.session_key, s.user_key, s.session_id, u.user_id, s.display_name, s.labels,
       s.create_time, c.update_time, s.expire_time
FROM session_clock AS c
JOIN sessions AS s ON s.engine_key = c.engine_key AND s.session_key = c.session_key
JOIN users AS u ON u.engine_key = c.engine_key AND u.user_key = c.user_key
WHERE c.engine_key = $1 AND c.user_key = $5 AND c.update_time BETWEEN $2 AND $3 AND s.expire_time > $4
