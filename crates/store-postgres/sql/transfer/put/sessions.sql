-- 1 engine keys, 2 session keys, 3 user keys, 4 ids, 5 display names, 6 labels, 7 create times, 8 expire times
INSERT INTO sessions
    (engine_key, session_key, user_key, session_id, display_name, labels, create_time, expire_time)
SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[], $5::BYTEA[], $6::TEXT[], $7::BIGINT[],
                     $8::BIGINT[])
