-- 1 engine keys, 2 hashes of keys
SELECT t.place, octet_length(k.value)
FROM unnest($1::BIGINT[], $2::BYTEA[]) WITH ORDINALITY AS t (engine_key, key_hash, place)
JOIN app_state AS k ON k.engine_key = t.engine_key AND k.key_hash = t.key_hash
