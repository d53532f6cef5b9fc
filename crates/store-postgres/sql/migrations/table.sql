CREATE TABLE IF NOT EXISTS migrations (
    number   BIGINT PRIMARY KEY,
    name     TEXT   NOT NULL,
    checksum TEXT   NOT NULL
);

-- The oldest schema version whose nodes may work on what this step left.
ALTER TABLE migrations ADD COLUMN IF NOT EXISTS oldest_node BIGINT
