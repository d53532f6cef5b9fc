-- 1 engine keys, 2 session keys, 3 now
UPDATE sessions AS s SET deleted = TRUE
FROM unnest($1::BIGINT[], $2::BIGINT[]) AS t (engine_key, session_key)
WHERE s.engine_key = t.engine_key AND s.session_key = t.session_key AND NOT s.deleted AND s.expire_time <= $3
RETURNING s.engine_key, s.session_key
