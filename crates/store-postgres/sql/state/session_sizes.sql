-- 1 engine keys, 2 session keys, 3 hashes of keys
SELECT t.place, octet_length(k.value)
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[]) WITH ORDINALITY
     AS t (engine_key, session_key, key_hash, place)
JOIN session_state AS k
  ON k.engine_key = t.engine_key AND k.session_key = t.session_key AND k.key_hash = t.key_hash
