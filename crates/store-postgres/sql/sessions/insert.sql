-- 1 engine key, 2 session key, 3 user key, 4 session id, 5 display name, 6 labels, 7 create time, 8 expire time
INSERT INTO sessions
    (engine_key, session_key, user_key, session_id, display_name, labels, create_time, expire_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
