-- 1 source, 2 its name, 3 kind
INSERT INTO transfer (source, source_name, kind, place, rows) VALUES ($1, $2, $3, '', 0)
