-- 1 a number that all nodes know: one migrates at a time; free with the end of the transaction
SELECT pg_advisory_xact_lock($1)
