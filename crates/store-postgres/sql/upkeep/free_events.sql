-- 1 engine key, 2 session key, 3 limit
DELETE FROM events
WHERE engine_key = $1 AND session_key = $2 AND (timestamp, sequence) IN (
    SELECT timestamp, sequence FROM events WHERE engine_key = $1 AND session_key = $2
    ORDER BY timestamp, sequence LIMIT $3)
