-- 1 session key, 2 display name, 3 labels, 4 expire time; null keeps what is there
UPDATE sessions
SET display_name = coalesce(?2, display_name), labels = coalesce(?3, labels),
    expire_time = coalesce(?4, expire_time)
WHERE session_key = ?1
