-- 1 engine key, 2 session key, 3 display name, 4 labels, 5 expire time; null keeps what is there
UPDATE sessions
SET display_name = coalesce($3, display_name), labels = coalesce($4, labels), expire_time = coalesce($5, expire_time)
WHERE engine_key = $1 AND session_key = $2
