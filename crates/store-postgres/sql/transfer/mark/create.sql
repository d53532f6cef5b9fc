-- There for as long as a copy into this store is unfinished; one row: which store is copied (what tells it from
-- others, and its name for people), where it goes on (the kind of rows, and the place within the kind, empty at its
-- beginning), and how many rows have come.
CREATE TABLE transfer (
    source      TEXT   NOT NULL,
    source_name TEXT   NOT NULL,
    kind        BIGINT NOT NULL,
    place       BYTEA  NOT NULL,
    rows        BIGINT NOT NULL
)
