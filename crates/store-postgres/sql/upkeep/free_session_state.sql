-- 1 engine key, 2 session key, 3 limit; a row counts as one more for each 8 KiB of what it holds
DELETE FROM session_state
WHERE engine_key = $1 AND session_key = $2 AND key_hash IN (
    SELECT key_hash FROM (
        SELECT key_hash, sum(cost) OVER (ORDER BY key_hash ROWS UNBOUNDED PRECEDING) - cost AS before FROM (
            SELECT key_hash, 1 + octet_length(value) / 8192 AS cost FROM session_state
            WHERE engine_key = $1 AND session_key = $2 ORDER BY key_hash LIMIT $3) AS most) AS counted
    WHERE before < $3)
RETURNING 1 + octet_length(value)::BIGINT / 8192
