-- 1 engine key, 2 project, 3 location, 4 engine id, 5 display name, 6 description, 7 labels, 8 settings, 9 time
INSERT INTO engines (engine_key, project, location, engine_id, display_name, description, labels, settings,
                     revision, create_time, update_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
