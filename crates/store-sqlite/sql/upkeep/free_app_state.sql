-- 1 engine key, 2 limit
DELETE FROM app_state
WHERE engine_key = ?1 AND key IN (SELECT key FROM app_state WHERE engine_key = ?1 LIMIT ?2)
