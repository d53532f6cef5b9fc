CREATE TABLE IF NOT EXISTS migrations (
    number   BIGINT PRIMARY KEY,
    name     TEXT   NOT NULL,
    checksum TEXT   NOT NULL
)
