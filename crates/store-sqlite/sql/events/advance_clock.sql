-- 1 session key, 2 update time, 3 last sequence, 4 bytes of state
UPDATE session_clock SET update_time = ?2, last_sequence = ?3, state_bytes = ?4 WHERE session_key = ?1
