-- 1 to 4 the place to go on after (engine key, session key, timestamp, sequence), 5 limit, 6 the most bytes of
-- payloads before the last row's
SELECT engine_key, session_key, timestamp, sequence, event_id, author, invocation_id, payload
FROM (
    SELECT *, sum(octet_length(payload)) OVER held - octet_length(payload) AS bytes_before
    FROM (
        SELECT * FROM events AS v
        WHERE (v.engine_key, v.session_key, v.timestamp, v.sequence) > ($1, $2, $3, $4)
          AND (SELECT NOT s.deleted FROM sessions AS s
               WHERE s.engine_key = v.engine_key AND s.session_key = v.session_key)
          AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = v.engine_key)
        ORDER BY v.engine_key, v.session_key, v.timestamp, v.sequence
        LIMIT $5) AS first
    WINDOW held AS (ORDER BY engine_key, session_key, timestamp, sequence ROWS UNBOUNDED PRECEDING)) AS v
WHERE bytes_before < $6
ORDER BY engine_key, session_key, timestamp, sequence
