-- 1 engine key, 2 earliest create time, 3 latest, 4 now, 5 user key; place, order and limit are added by the caller
SELECT s.session_key, s.user_key, s.session_id, u.user_id, s.display_name, s.labels,
       s.create_time, c.update_time, s.expire_time
FROM sessions AS s
JOIN session_clock AS c ON c.engine_key = s.engine_key AND c.session_key = s.session_key
JOIN users AS u ON u.engine_key = s.engine_key AND u.user_key = s.user_key
WHERE s.engine_key = $1 AND s.user_key = $5 AND NOT s.deleted AND s.create_time BETWEEN $2 AND $3 AND s.expire_time > $4
