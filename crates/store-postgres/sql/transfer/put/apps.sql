-- 1 engine keys, 2 bytes of state
INSERT INTO apps (engine_key, state_bytes) SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[])
