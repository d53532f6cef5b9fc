-- 1 engine key, 2 now
SELECT EXISTS (SELECT 1 FROM sessions WHERE engine_key = $1 AND NOT deleted AND expire_time > $2)
