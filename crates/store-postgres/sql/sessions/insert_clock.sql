-- 1 engine key, 2 session key, 3 user key, 4 session id, 5 update time, 6 bytes of state
INSERT INTO session_clock
    (engine_key, session_key, user_key, session_id, update_time, last_sequence, state_bytes)
VALUES ($1, $2, $3, $4, $5, 0, $6)
