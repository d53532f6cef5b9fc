SELECT number, name, checksum, oldest_node FROM migrations ORDER BY number
