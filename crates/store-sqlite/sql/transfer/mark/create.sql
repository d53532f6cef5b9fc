-- There for as long as a copy into this store is unfinished; one row.
CREATE TABLE transfer (
    -- Which store is copied: what tells it from others, and its name for people.
    source      TEXT    NOT NULL,
    source_name TEXT    NOT NULL,
    -- Where it goes on: the kind of rows, and the place within the kind, empty at its beginning.
    kind        INTEGER NOT NULL,
    place       BLOB    NOT NULL,
    -- How many rows have come.
    rows        INTEGER NOT NULL
) STRICT
