-- 1, 2 and 3 the place to go on after (engine key, session key, hash of the key), 4 limit, 5 the most bytes of values
-- before the last row's
SELECT engine_key, session_key, key, value
FROM (
    SELECT *, sum(octet_length(value)) OVER held - octet_length(value) AS bytes_before
    FROM (
        SELECT * FROM session_state AS v
        WHERE (v.engine_key, v.session_key, v.key_hash) > ($1, $2, $3)
          AND (SELECT NOT s.deleted FROM sessions AS s
               WHERE s.engine_key = v.engine_key AND s.session_key = v.session_key)
          AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = v.engine_key)
        ORDER BY v.engine_key, v.session_key, v.key_hash
        LIMIT $4) AS first
    WINDOW held AS (ORDER BY engine_key, session_key, key_hash ROWS UNBOUNDED PRECEDING)) AS v
WHERE bytes_before < $5
ORDER BY engine_key, session_key, key_hash
