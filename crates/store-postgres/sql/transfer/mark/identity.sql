-- What is the same for as long as the schema lives, by whatever address it is reached
SELECT c.system_identifier || '/' || d.oid || '/' || n.oid, d.datname || '/' || n.nspname
FROM pg_control_system() AS c, pg_database AS d, pg_namespace AS n
WHERE d.datname = current_database() AND n.nspname = current_schema()
