SELECT to_regclass(quote_ident(current_schema()) || '.transfer') IS NOT NULL
