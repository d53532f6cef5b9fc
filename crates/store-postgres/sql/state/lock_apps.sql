-- 1 engine keys, sorted
SELECT engine_key, state_bytes FROM apps WHERE engine_key = ANY ($1) ORDER BY engine_key FOR UPDATE
