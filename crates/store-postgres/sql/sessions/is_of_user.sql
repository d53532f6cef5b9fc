-- 1 engine key, 2 session key, 3 user id
SELECT EXISTS (
    SELECT 1 FROM sessions AS s
    JOIN users AS u ON u.engine_key = s.engine_key AND u.user_key = s.user_key
    WHERE s.engine_key = $1 AND s.session_key = $2 AND u.user_id = $3)
