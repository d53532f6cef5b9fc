-- 1 keys, 2 projects, 3 locations, 4 ids, 5 display names, 6 descriptions, 7 labels, 8 settings, 9 revisions,
-- 10 create times, 11 update times, 12 the operations that end with their purges: who has one is deleted
INSERT INTO engines
    (engine_key, project, location, engine_id, display_name, description, labels, settings, revision, create_time,
     update_time, deleted, deletion_op_id)
SELECT t.engine_key, t.project, t.location, t.engine_id, t.display_name, t.description, t.labels, t.settings, t.revision,
       t.create_time, t.update_time, t.deletion_op_id IS NOT NULL, t.deletion_op_id
FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BYTEA[], $4::BYTEA[], $5::BYTEA[], $6::BYTEA[], $7::TEXT[], $8::BYTEA[],
            $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[])
    AS t (engine_key, project, location, engine_id, display_name, description, labels, settings, revision,
          create_time, update_time, deletion_op_id)
