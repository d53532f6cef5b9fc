-- 1 project, 2 location, 3 and 4 the place to go on below (time, engine id), 5 earliest create time, 6 limit,
-- 7 the most bytes of settings; settings beyond them are null
SELECT engine_key, engine_id, display_name, description, labels, revision, create_time, update_time,
       CASE WHEN sum(octet_length(settings)) OVER held - octet_length(settings) < $7 THEN settings END
FROM (
    SELECT * FROM engines
    WHERE project = $1 AND location = $2 AND NOT deleted
      AND (create_time, engine_id) < ($3, $4) AND create_time >= $5
    ORDER BY create_time DESC, engine_id DESC
    LIMIT $6) AS e
WINDOW held AS (ORDER BY create_time DESC, engine_id DESC ROWS UNBOUNDED PRECEDING)
ORDER BY create_time DESC, engine_id DESC
