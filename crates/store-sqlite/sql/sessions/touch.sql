-- 1 session key, 2 update time
UPDATE session_clock SET update_time = ?2 WHERE session_key = ?1
