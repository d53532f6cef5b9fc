-- 1 engine keys, 2 session keys, 3 update times, 4 last sequences, 5 bytes of state
UPDATE session_clock AS c
SET update_time = t.update_time, last_sequence = t.last_sequence, state_bytes = t.state_bytes
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[])
     AS t (engine_key, session_key, update_time, last_sequence, state_bytes)
WHERE c.engine_key = t.engine_key AND c.session_key = t.session_key
