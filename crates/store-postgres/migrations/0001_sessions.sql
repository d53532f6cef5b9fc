-- Engines, sessions, events, states and operations.
-- Times are microseconds since 1970-01-01T00:00:00Z. Labels are JSON objects of texts.
--
-- Keys are random numbers that nodes draw by themselves: no sequence is a place where all must meet.
-- The texts of callers are BYTEA: TEXT cannot hold a NUL, and bytes are compared alike under every collation.
-- Every table that grows carries engine_key, by which it can be spread over machines (docs/scale.md).

CREATE TABLE engines (
    engine_key     BIGINT  PRIMARY KEY,
    project        BYTEA   NOT NULL,
    location       BYTEA   NOT NULL,
    engine_id      BYTEA   NOT NULL,
    display_name   BYTEA   NOT NULL,
    description    BYTEA   NOT NULL,
    labels         TEXT    NOT NULL,
    settings       BYTEA   NOT NULL,
    revision       BIGINT  NOT NULL,
    create_time    BIGINT  NOT NULL,
    update_time    BIGINT  NOT NULL,
    deleted        BOOLEAN NOT NULL DEFAULT FALSE,
    -- The operation that ends when the purge of a deleted engine does.
    deletion_op_id BIGINT
);

CREATE UNIQUE INDEX engines_live ON engines (project, location, engine_id) WHERE NOT deleted;
CREATE INDEX engines_listed ON engines (project, location, create_time, engine_id) WHERE NOT deleted;
CREATE INDEX engines_deleted ON engines (engine_key) WHERE deleted;

-- The size of an app's state; apart from its engine, whose row may be wide.
CREATE TABLE apps (
    engine_key  BIGINT PRIMARY KEY,
    state_bytes BIGINT NOT NULL
);

CREATE TABLE users (
    engine_key  BIGINT NOT NULL,
    user_key    BIGINT NOT NULL,
    user_id     BYTEA  NOT NULL,
    state_bytes BIGINT NOT NULL,
    PRIMARY KEY (engine_key, user_key)
);

CREATE UNIQUE INDEX users_named ON users (engine_key, user_id);

CREATE TABLE sessions (
    engine_key   BIGINT  NOT NULL,
    session_key  BIGINT  NOT NULL,
    user_key     BIGINT  NOT NULL,
    session_id   BYTEA   NOT NULL,
    display_name BYTEA   NOT NULL,
    labels       TEXT    NOT NULL,
    create_time  BIGINT  NOT NULL,
    expire_time  BIGINT  NOT NULL,
    deleted      BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (engine_key, session_key)
);

CREATE UNIQUE INDEX sessions_live ON sessions (engine_key, session_id) WHERE NOT deleted;
CREATE INDEX sessions_of_engine ON sessions (engine_key, create_time, session_id) WHERE NOT deleted;
CREATE INDEX sessions_of_user ON sessions (engine_key, user_key, create_time, session_id) WHERE NOT deleted;
CREATE INDEX sessions_expiring ON sessions (expire_time) WHERE NOT deleted;
CREATE INDEX sessions_deleted ON sessions (engine_key, session_key) WHERE deleted;

-- What every append changes, kept narrow; only sessions that are not deleted have a row. Whoever changes a session
-- in any way locks its row here first.
CREATE TABLE session_clock (
    engine_key    BIGINT NOT NULL,
    session_key   BIGINT NOT NULL,
    user_key      BIGINT NOT NULL,
    session_id    BYTEA  NOT NULL,
    update_time   BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    state_bytes   BIGINT NOT NULL,
    PRIMARY KEY (engine_key, session_key)
);

CREATE INDEX clock_of_engine ON session_clock (engine_key, update_time, session_id);
CREATE INDEX clock_of_user ON session_clock (engine_key, user_key, update_time, session_id);

CREATE TABLE events (
    engine_key    BIGINT NOT NULL,
    session_key   BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    sequence      BIGINT NOT NULL,
    event_id      BIGINT NOT NULL,
    author        BYTEA  NOT NULL,
    invocation_id BYTEA  NOT NULL,
    payload       BYTEA  NOT NULL,
    PRIMARY KEY (engine_key, session_key, timestamp, sequence)
);

-- State keys may be longer than an entry of an index: they are told apart by their SHA-256.
CREATE TABLE session_state (
    engine_key  BIGINT NOT NULL,
    session_key BIGINT NOT NULL,
    key_hash    BYTEA  NOT NULL,
    key         BYTEA  NOT NULL,
    value       BYTEA  NOT NULL,
    PRIMARY KEY (engine_key, session_key, key_hash)
);

CREATE TABLE user_state (
    engine_key BIGINT NOT NULL,
    user_key   BIGINT NOT NULL,
    key_hash   BYTEA  NOT NULL,
    key        BYTEA  NOT NULL,
    value      BYTEA  NOT NULL,
    PRIMARY KEY (engine_key, user_key, key_hash)
);

CREATE TABLE app_state (
    engine_key BIGINT NOT NULL,
    key_hash   BYTEA  NOT NULL,
    key        BYTEA  NOT NULL,
    value      BYTEA  NOT NULL,
    PRIMARY KEY (engine_key, key_hash)
);

-- An operation hangs from its session, else from its engine, else from its location.
CREATE TABLE operations (
    op_id       BIGINT   PRIMARY KEY,
    project     BYTEA    NOT NULL,
    location    BYTEA    NOT NULL,
    engine_key  BIGINT,
    session_key BIGINT,
    kind        BIGINT   NOT NULL,
    api_version BIGINT   NOT NULL,
    done        BOOLEAN  NOT NULL,
    create_time BIGINT   NOT NULL,
    update_time BIGINT   NOT NULL,
    CHECK (session_key IS NULL OR engine_key IS NOT NULL)
);

CREATE INDEX operations_of_location ON operations (project, location, create_time, op_id)
    WHERE engine_key IS NULL;
CREATE INDEX operations_of_engine ON operations (engine_key, create_time, op_id)
    WHERE engine_key IS NOT NULL AND session_key IS NULL;
CREATE INDEX operations_of_session ON operations (engine_key, session_key, create_time, op_id)
    WHERE session_key IS NOT NULL;
CREATE INDEX operations_ended ON operations (update_time) WHERE done;
