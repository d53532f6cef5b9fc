-- 1 engine key, 2 display name, 3 description, 4 labels, 5 settings, 6 revision, 7 update time
UPDATE engines
SET display_name = $2, description = $3, labels = $4, settings = $5, revision = $6, update_time = $7
WHERE engine_key = $1
