SELECT current_setting('transaction_read_only'), (SELECT max(COALESCE(oldest_node, number)) FROM migrations)
