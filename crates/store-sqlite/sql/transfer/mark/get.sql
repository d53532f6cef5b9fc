SELECT source, source_name, kind, place, rows FROM transfer
