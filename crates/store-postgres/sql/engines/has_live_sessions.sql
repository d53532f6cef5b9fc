-- 1 engine key, 2 now; the sum keeps this off the index by that time, which is of all engines
SELECT EXISTS (SELECT 1 FROM sessions WHERE engine_key = $1 AND NOT deleted AND expire_time + 0 > $2)
