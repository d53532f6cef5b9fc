-- 1 ids, 2 projects, 3 locations, 4 engine keys, 5 session keys, 6 kinds, 7 versions, 8 done, 9 create times,
-- 10 update times
INSERT INTO operations
    (op_id, project, location, engine_key, session_key, kind, api_version, done, create_time, update_time)
SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BYTEA[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[],
                     $8::BOOLEAN[], $9::BIGINT[], $10::BIGINT[])
