-- 1 engine key, 2 session key, 3 request id, 4 fingerprint, 5 answer, 6 time
INSERT INTO requests (engine_key, session_key, request_id, fingerprint, answer, time)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (engine_key, session_key, request_id)
DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer, time = excluded.time
