-- 1 now, 2 limit
SELECT engine_key, session_key FROM sessions
WHERE NOT deleted AND expire_time <= $1 ORDER BY expire_time LIMIT $2
