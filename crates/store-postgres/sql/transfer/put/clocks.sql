-- 1 engine keys, 2 session keys, 3 user keys, 4 session ids, 5 update times, 6 last sequences, 7 bytes of state
INSERT INTO session_clock
    (engine_key, session_key, user_key, session_id, update_time, last_sequence, state_bytes)
SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[])
