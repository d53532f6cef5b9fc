-- 1 engine key, 2 user key, 3 session id, 4 display name, 5 labels, 6 create time, 7 expire time
INSERT INTO sessions (engine_key, user_key, session_id, display_name, labels, create_time, expire_time)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
