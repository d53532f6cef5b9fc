-- 1 engine key, 2 session key, 3 and 4 the place to go on after (timestamp, sequence), 5 the last timestamp, 6 limit,
-- 7 the most bytes of payloads; payloads beyond them are null
SELECT timestamp, sequence, event_id, author, invocation_id,
       CASE WHEN sum(octet_length(payload)) OVER held - octet_length(payload) < $7 THEN payload END
FROM (
    SELECT * FROM events
    WHERE engine_key = $1 AND session_key = $2 AND (timestamp, sequence) > ($3, $4) AND timestamp <= $5
    ORDER BY timestamp, sequence
    LIMIT $6) AS e
WINDOW held AS (ORDER BY timestamp, sequence ROWS UNBOUNDED PRECEDING)
ORDER BY timestamp, sequence
