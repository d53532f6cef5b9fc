-- 1 engine key, 2 session key, 3 limit; a row counts as one more for each 8 KiB of what it holds
DELETE FROM events
WHERE engine_key = $1 AND session_key = $2 AND (timestamp, sequence) IN (
    SELECT timestamp, sequence FROM (
        SELECT timestamp, sequence, sum(cost) OVER (ORDER BY timestamp, sequence ROWS UNBOUNDED PRECEDING) - cost AS before FROM (
            SELECT timestamp, sequence, 1 + octet_length(payload) / 8192 AS cost FROM events
            WHERE engine_key = $1 AND session_key = $2 ORDER BY timestamp, sequence LIMIT $3) AS most) AS counted
    WHERE before < $3)
RETURNING 1 + octet_length(payload)::BIGINT / 8192
