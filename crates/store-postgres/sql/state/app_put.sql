-- 1 engine keys, 2 hashes of keys, 3 keys, 4 values
INSERT INTO app_state (engine_key, key_hash, key, value)
SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BYTEA[], $4::BYTEA[])
ON CONFLICT (engine_key, key_hash) DO UPDATE SET value = excluded.value
