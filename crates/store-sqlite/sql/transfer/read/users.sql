-- 1 the key to go on after; a user without state and kept sessions is about to be freed
SELECT u.user_key, u.engine_key, u.user_id, u.state_bytes
FROM users AS u
CROSS JOIN engines AS e ON e.engine_key = u.engine_key
WHERE u.user_key > ?1 AND e.deleted = 0
  AND (u.state_bytes > 0
       OR EXISTS (SELECT 1 FROM user_state AS v WHERE v.user_key = u.user_key)
       OR EXISTS (SELECT 1 FROM sessions AS s INDEXED BY sessions_of_user
                  WHERE s.user_key = u.user_key AND s.deleted = 0))
ORDER BY u.user_key
