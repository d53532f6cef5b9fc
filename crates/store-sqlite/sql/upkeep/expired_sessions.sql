-- 1 now, 2 limit
SELECT session_key FROM sessions INDEXED BY sessions_expiring
WHERE deleted = 0 AND expire_time <= ?1 ORDER BY expire_time LIMIT ?2
