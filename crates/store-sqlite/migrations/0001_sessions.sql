-- Engines, sessions, events, states and operations.
-- Times are microseconds since 1970-01-01T00:00:00Z. Labels are JSON objects of texts.

CREATE TABLE engines (
    engine_key     INTEGER PRIMARY KEY,
    project        TEXT    NOT NULL,
    location       TEXT    NOT NULL,
    engine_id      TEXT    NOT NULL,
    display_name   TEXT    NOT NULL,
    description    TEXT    NOT NULL,
    labels         TEXT    NOT NULL,
    settings       BLOB    NOT NULL,
    revision       INTEGER NOT NULL,
    create_time    INTEGER NOT NULL,
    update_time    INTEGER NOT NULL,
    deleted        INTEGER NOT NULL DEFAULT 0,
    -- The operation that ends when the purge of a deleted engine does.
    deletion_op_id INTEGER
) STRICT;

CREATE UNIQUE INDEX engines_live ON engines (project, location, engine_id) WHERE deleted = 0;
CREATE INDEX engines_listed ON engines (project, location, create_time, engine_id) WHERE deleted = 0;
CREATE INDEX engines_deleted ON engines (engine_key) WHERE deleted = 1;

-- The size of an app's state; apart from its engine, whose row may be wide.
CREATE TABLE apps (
    engine_key  INTEGER PRIMARY KEY,
    state_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    user_key    INTEGER PRIMARY KEY,
    engine_key  INTEGER NOT NULL,
    user_id     TEXT    NOT NULL,
    state_bytes INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX users_named ON users (engine_key, user_id);

CREATE TABLE sessions (
    session_key  INTEGER PRIMARY KEY,
    engine_key   INTEGER NOT NULL,
    user_key     INTEGER NOT NULL,
    session_id   TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    labels       TEXT    NOT NULL,
    create_time  INTEGER NOT NULL,
    expire_time  INTEGER NOT NULL,
    deleted      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX sessions_live ON sessions (engine_key, session_id) WHERE deleted = 0;
CREATE INDEX sessions_of_engine ON sessions (engine_key, create_time) WHERE deleted = 0;
CREATE INDEX sessions_of_user ON sessions (user_key, create_time) WHERE deleted = 0;
CREATE INDEX sessions_expiring ON sessions (expire_time) WHERE deleted = 0;
CREATE INDEX sessions_deleted ON sessions (engine_key) WHERE deleted = 1;

-- What every append changes, kept narrow; only sessions that are not deleted have a row.
CREATE TABLE session_clock (
    session_key   INTEGER PRIMARY KEY,
    engine_key    INTEGER NOT NULL,
    user_key      INTEGER NOT NULL,
    update_time   INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    state_bytes   INTEGER NOT NULL
) STRICT;

CREATE INDEX clock_of_engine ON session_clock (engine_key, update_time);
CREATE INDEX clock_of_user ON session_clock (user_key, update_time);

CREATE TABLE events (
    event_key     INTEGER PRIMARY KEY,
    session_key   INTEGER NOT NULL,
    timestamp     INTEGER NOT NULL,
    sequence      INTEGER NOT NULL,
    event_id      INTEGER NOT NULL,
    author        TEXT    NOT NULL,
    invocation_id TEXT    NOT NULL,
    payload       BLOB    NOT NULL
) STRICT;

CREATE INDEX events_ordered ON events (session_key, timestamp, sequence);

CREATE TABLE session_state (
    session_key INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    value       BLOB    NOT NULL,
    PRIMARY KEY (session_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_state (
    user_key INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    value    BLOB    NOT NULL,
    PRIMARY KEY (user_key, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE app_state (
    engine_key INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    PRIMARY KEY (engine_key, key)
) STRICT, WITHOUT ROWID;

-- An operation hangs from its session, else from its engine, else from its location.
CREATE TABLE operations (
    op_id       INTEGER PRIMARY KEY,
    project     TEXT    NOT NULL,
    location    TEXT    NOT NULL,
    engine_key  INTEGER,
    session_key INTEGER,
    kind        INTEGER NOT NULL,
    api_version INTEGER NOT NULL,
    done        INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    CHECK (engine_key IS NULL OR session_key IS NULL)
) STRICT;

CREATE INDEX operations_of_location ON operations (project, location, create_time)
    WHERE engine_key IS NULL AND session_key IS NULL;
CREATE INDEX operations_of_engine ON operations (engine_key, create_time) WHERE engine_key IS NOT NULL;
CREATE INDEX operations_of_session ON operations (session_key, create_time) WHERE session_key IS NOT NULL;
CREATE INDEX operations_ended ON operations (update_time) WHERE done = 1;
