-- 1 engine keys, 2 user keys, 3 user ids, 4 bytes of state
INSERT INTO users (engine_key, user_key, user_id, state_bytes)
SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[])
