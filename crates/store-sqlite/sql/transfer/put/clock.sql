-- 1 session key, 2 engine key, 3 user key, 4 update time, 5 last sequence, 6 bytes of state
INSERT INTO session_clock (session_key, engine_key, user_key, update_time, last_sequence, state_bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
