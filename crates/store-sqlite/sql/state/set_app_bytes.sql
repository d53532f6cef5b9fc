-- 1 engine key, 2 bytes
UPDATE apps SET state_bytes = ?2 WHERE engine_key = ?1
