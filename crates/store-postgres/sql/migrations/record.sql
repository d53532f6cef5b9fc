-- 1 number, 2 name, 3 checksum
INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)
