-- 1 key, 2 engine key, 3 user key, 4 id, 5 display name, 6 labels, 7 create time, 8 expire time
INSERT INTO sessions
    (session_key, engine_key, user_key, session_id, display_name, labels, create_time, expire_time)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
