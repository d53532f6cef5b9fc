-- 1 engine key, 2 session id, 3 now: the session (scope 0), then the keys of its app (1), its user (2) and its own (3)
WITH found AS MATERIALIZED (
    SELECT s.engine_key, s.session_key, s.user_key, s.session_id, u.user_id, s.display_name, s.labels,
           s.create_time, c.update_time, s.expire_time
    FROM sessions AS s
    JOIN engines AS e ON e.engine_key = s.engine_key AND NOT e.deleted
    JOIN session_clock AS c ON c.engine_key = s.engine_key AND c.session_key = s.session_key
    JOIN users AS u ON u.engine_key = s.engine_key AND u.user_key = s.user_key
    WHERE s.engine_key = $1 AND s.session_id = $2 AND NOT s.deleted AND s.expire_time > $3)
SELECT session_key, user_key, session_id, user_id, display_name, labels, create_time, update_time, expire_time,
       0 AS scope, NULL::BYTEA AS key, NULL::BYTEA AS value
FROM found
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, k.key, k.value
FROM found JOIN app_state AS k ON k.engine_key = found.engine_key
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2, k.key, k.value
FROM found JOIN user_state AS k ON k.engine_key = found.engine_key AND k.user_key = found.user_key
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3, k.key, k.value
FROM found JOIN session_state AS k ON k.engine_key = found.engine_key AND k.session_key = found.session_key
