-- 1 session key, 2 limit
DELETE FROM operations
WHERE op_id IN (
    SELECT op_id FROM operations INDEXED BY operations_of_session
    WHERE session_key = ?1 AND session_key IS NOT NULL LIMIT ?2)
