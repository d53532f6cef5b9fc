-- 1 and 2 the place to go on after (engine key, user key), 3 limit; a user without state and kept sessions is about
-- to be freed
SELECT u.engine_key, u.user_key, u.user_id, u.state_bytes
FROM users AS u
WHERE (u.engine_key, u.user_key) > ($1, $2)
  AND (SELECT NOT e.deleted FROM engines AS e WHERE e.engine_key = u.engine_key)
  AND (u.state_bytes > 0
       OR (SELECT TRUE FROM user_state AS v WHERE v.engine_key = u.engine_key AND v.user_key = u.user_key LIMIT 1)
       OR (SELECT TRUE FROM sessions AS s
           WHERE s.engine_key = u.engine_key AND s.user_key = u.user_key AND NOT s.deleted LIMIT 1))
ORDER BY u.engine_key, u.user_key
LIMIT $3
