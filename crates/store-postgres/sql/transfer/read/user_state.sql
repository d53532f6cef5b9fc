-- 1, 2 and 3 the place to go on after (engine key, user key, hash of the key), 4 limit, 5 the most bytes of values
-- before the last row's
SELECT engine_key, user_key, key, value
FROM (
    SELECT *, sum(octet_length(value)) OVER held - octet_length(value) AS bytes_before
    FROM (
        SELECT * FROM user_state AS v
        WHERE (v.engine_key, v.user_key, v.key_hash) > ($1, $2, $3)
          AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = v.engine_key)
        ORDER BY v.engine_key, v.user_key, v.key_hash
        LIMIT $4) AS first
    WINDOW held AS (ORDER BY engine_key, user_key, key_hash ROWS UNBOUNDED PRECEDING)) AS v
WHERE bytes_before < $5
ORDER BY engine_key, user_key, key_hash
