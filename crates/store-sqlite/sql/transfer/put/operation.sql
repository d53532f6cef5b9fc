-- 1 id, 2 project, 3 location, 4 engine key, 5 session key, 6 kind, 7 version, 8 done, 9 create time, 10 update time
INSERT INTO operations
    (op_id, project, location, engine_key, session_key, kind, api_version, done, create_time, update_time)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
