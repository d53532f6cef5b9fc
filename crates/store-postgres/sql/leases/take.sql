-- 1 name, 2 holder, 3 for how many milliseconds; a row if it is this holder's, anew or for longer
INSERT INTO leases AS l (name, holder, until)
VALUES ($1, $2, clock_timestamp() + $3 * INTERVAL '1 millisecond')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()
RETURNING holder
