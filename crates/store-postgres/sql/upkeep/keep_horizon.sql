-- 1 believed, 2 since when the clock is ahead, 3 for how long
INSERT INTO horizon (id, believed, ahead_since, ahead_lasted) VALUES (1, $1, $2, $3)
ON CONFLICT (id) DO UPDATE
SET believed = excluded.believed, ahead_since = excluded.ahead_since, ahead_lasted = excluded.ahead_lasted
