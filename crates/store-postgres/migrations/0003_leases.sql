-- What one node does for all of them, and who does it now. A lease ends by the database's clock, which all nodes share.
CREATE TABLE leases (
    name   TEXT        PRIMARY KEY,
    holder BIGINT      NOT NULL,
    until  TIMESTAMPTZ NOT NULL
);
