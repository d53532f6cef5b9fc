-- 1 engine keys, 2 session keys, 3 timestamps, 4 sequences, 5 event ids, 6 authors, 7 invocation ids, 8 payloads
INSERT INTO events (engine_key, session_key, timestamp, sequence, event_id, author, invocation_id, payload)
SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[],
                     $6::BYTEA[], $7::BYTEA[], $8::BYTEA[])
