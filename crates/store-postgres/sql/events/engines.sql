-- 1 engine keys: those of live engines, and the sizes of their apps' states
SELECT t.engine_key, a.state_bytes
FROM unnest($1::BIGINT[]) AS t (engine_key)
CROSS JOIN LATERAL (SELECT 1 FROM engines WHERE engine_key = t.engine_key AND NOT deleted LIMIT 1) AS e
CROSS JOIN LATERAL (SELECT state_bytes FROM apps WHERE engine_key = t.engine_key LIMIT 1) AS a
