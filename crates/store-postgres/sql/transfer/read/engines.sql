-- 1 the key to go on after, 2 limit, 3 the most bytes of settings before the last row's
SELECT e.engine_key, e.project, e.location, e.engine_id, e.display_name, e.description, e.labels, e.settings,
       e.revision, e.create_time, e.update_time, CASE WHEN e.deleted THEN e.deletion_op_id END,
       CASE WHEN e.deleted THEN 0 ELSE a.state_bytes END
FROM (
    SELECT *, sum(octet_length(settings)) OVER held - octet_length(settings) AS bytes_before
    FROM (SELECT * FROM engines WHERE engine_key > $1 ORDER BY engine_key LIMIT $2) AS first
    WINDOW held AS (ORDER BY engine_key ROWS UNBOUNDED PRECEDING)) AS e
LEFT JOIN apps AS a ON a.engine_key = e.engine_key
WHERE e.bytes_before < $3
ORDER BY e.engine_key
