-- 1 recorded before, 2 limit: what another node forgets is left to it
SELECT engine_key, session_key, request_id FROM requests WHERE time < $1 ORDER BY time LIMIT $2
FOR UPDATE SKIP LOCKED
