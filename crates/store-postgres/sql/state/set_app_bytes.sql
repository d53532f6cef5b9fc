-- 1 engine keys, 2 bytes
UPDATE apps AS a SET state_bytes = t.state_bytes
FROM unnest($1::BIGINT[], $2::BIGINT[]) AS t (engine_key, state_bytes)
WHERE a.engine_key = t.engine_key
