-- Up to when the clock is believed where rows are freed for good: one row, none in a store that never did upkeep.
-- Since when, as the clock says, it is too far ahead of that, and how many microseconds this has lasted; null where it
-- is not.
CREATE TABLE horizon (
    id           SMALLINT PRIMARY KEY CHECK (id = 1),
    believed     BIGINT   NOT NULL,
    ahead_since  BIGINT,
    ahead_lasted BIGINT
);
