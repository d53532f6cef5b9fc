-- 1 engine key, 2 limit; a row counts as one more for each 8 KiB of what it holds
DELETE FROM app_state
WHERE engine_key = $1 AND key_hash IN (
    SELECT key_hash FROM (
        SELECT key_hash, sum(cost) OVER (ORDER BY key_hash ROWS UNBOUNDED PRECEDING) - cost AS before FROM (
            SELECT key_hash, 1 + octet_length(value) / 8192 AS cost FROM app_state
            WHERE engine_key = $1 ORDER BY key_hash LIMIT $2) AS most) AS counted
    WHERE before < $2)
RETURNING 1 + octet_length(value)::BIGINT / 8192
