-- 1 and 2 the place to go on after (engine key, hash of the key), 3 limit, 4 the most bytes of values before the last
-- row's
SELECT engine_key, engine_key, key, value
FROM (
    SELECT *, sum(octet_length(value)) OVER held - octet_length(value) AS bytes_before
    FROM (
        SELECT * FROM app_state AS v
        WHERE (v.engine_key, v.key_hash) > ($1, $2)
          AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = v.engine_key)
        ORDER BY v.engine_key, v.key_hash
        LIMIT $3) AS first
    WINDOW held AS (ORDER BY engine_key, key_hash ROWS UNBOUNDED PRECEDING)) AS v
WHERE bytes_before < $4
ORDER BY engine_key, key_hash
