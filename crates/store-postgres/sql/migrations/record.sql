-- 1 number, 2 name, 3 checksum, 4 oldest node
INSERT INTO migrations (number, name, checksum, oldest_node) VALUES ($1, $2, $3, $4)
