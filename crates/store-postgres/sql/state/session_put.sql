-- 1 engine keys, 2 session keys, 3 hashes of keys, 4 keys, 5 values
INSERT INTO session_state (engine_key, session_key, key_hash, key, value)
SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[], $4::BYTEA[], $5::BYTEA[])
ON CONFLICT (engine_key, session_key, key_hash) DO UPDATE SET value = excluded.value
