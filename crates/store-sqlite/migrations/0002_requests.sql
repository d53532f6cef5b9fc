-- Requests that their callers may send again, recorded with what they wrote. A session key of 0 is the engine itself.

CREATE TABLE requests (
    engine_key  INTEGER NOT NULL,
    session_key INTEGER NOT NULL,
    request_id  TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    answer      BLOB    NOT NULL,
    time        INTEGER NOT NULL,
    PRIMARY KEY (engine_key, session_key, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_recorded ON requests (time);
