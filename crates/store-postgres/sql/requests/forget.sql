-- 1 engine keys, 2 session keys, 3 request ids, 4 what was recorded before this
DELETE FROM requests AS r
USING unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[], $4::BIGINT[])
      AS t (engine_key, session_key, request_id, known_since)
WHERE r.engine_key = t.engine_key AND r.session_key = t.session_key AND r.request_id = t.request_id
  AND r.time < t.known_since
