-- 1 key, 2 project, 3 location, 4 id, 5 display name, 6 description, 7 labels, 8 settings, 9 revision, 10 create time,
-- 11 update time, 12 whether it is deleted, 13 the operation that ends with its purge
INSERT INTO engines
    (engine_key, project, location, engine_id, display_name, description, labels, settings, revision, create_time,
     update_time, deleted, deletion_op_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
