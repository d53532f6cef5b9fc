-- 1 engine key, 2 session key, 3 request id
DELETE FROM requests WHERE engine_key = ?1 AND session_key = ?2 AND request_id = ?3
