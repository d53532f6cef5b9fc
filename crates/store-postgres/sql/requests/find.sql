-- 1 engine keys, 2 session keys, 3 request ids
SELECT t.place, r.fingerprint, r.answer, r.time
FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BYTEA[]) WITH ORDINALITY
     AS t (engine_key, session_key, request_id, place)
JOIN requests AS r
  ON r.engine_key = t.engine_key AND r.session_key = t.session_key AND r.request_id = t.request_id
