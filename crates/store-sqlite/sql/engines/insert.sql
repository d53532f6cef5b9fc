-- 1 project, 2 location, 3 engine id, 4 display name, 5 description, 6 labels, 7 settings, 8 time
INSERT INTO engines (project, location, engine_id, display_name, description, labels, settings,
                     revision, create_time, update_time)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8)
