-- 1 engine keys, 2 session keys, 3 request ids, 4 fingerprints, 5 answers, 6 times: where one is recorded that was not
-- found, its index refuses this, and the next try finds it
INSERT INTO requests (engine_key, session_key, request_id, fingerprint, answer, time)
SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[], $4::BYTEA[], $5::BYTEA[], $6::BIGINT[])
