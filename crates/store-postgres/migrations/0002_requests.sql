-- Requests that their callers may send again, recorded with what they wrote. A session key of 0 is the engine itself.

CREATE TABLE requests (
    engine_key  BIGINT NOT NULL,
    session_key BIGINT NOT NULL,
    request_id  BYTEA  NOT NULL,
    fingerprint BYTEA  NOT NULL,
    answer      BYTEA  NOT NULL,
    time        BIGINT NOT NULL,
    PRIMARY KEY (engine_key, session_key, request_id)
);

CREATE INDEX requests_recorded ON requests (time);
