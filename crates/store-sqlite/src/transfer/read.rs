//! Rows out of the tables, each kind in the order of its primary key.

use bytes::Bytes;
use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::event::Event;
use colloquy_sessions::page::{Cursor, cursor};
use colloquy_sessions::state::Scope;
use colloquy_sessions::transfer::{
    EngineRecord, EventRecord, Kind, Limit, OperationRecord, Owner, Portion, Record, RequestRecord, Rows,
    SessionRecord, StateRecord, UserRecord,
};
use resource_names::{EngineName, LocationName};
use rusqlite::{Connection, Params, Row};

use crate::error::Attempt;
use crate::row;

/// How cursors of this engine begin; the kind is kept beside them.
const LIST: u8 = b'T';
/// Below every key.
const BEFORE: i64 = i64::MIN;

/// See `Transfer::sizes`.
pub(super) fn sizes(connection: &Connection) -> rusqlite::Result<[u64; Kind::ALL.len()]> {
    connection.query_row(sql!("transfer/mark/sizes"), [], |row| {
        let mut sizes = [0; Kind::ALL.len()];
        for (column, size) in sizes.iter_mut().enumerate() {
            *size = row::unsigned(row, column)?;
        }
        Ok(sizes)
    })
}

/// See `Transfer::read`.
pub(super) fn read(
    connection: &Connection,
    kind: Kind,
    after: Option<&Cursor>,
    limit: Limit,
) -> Attempt<(Rows, Option<Cursor>)> {
    let by_key = |sql| Ok::<_, crate::error::Failure>((sql, place::<1>(after)?.0));
    Ok(match kind {
        Kind::Engines => {
            let (sql, key) = by_key(sql!("transfer/read/engines"))?;
            let (rows, last) = collect(connection, sql, key, limit, engine)?;
            (Rows::Engines(rows), last)
        }
        Kind::Users => {
            let (sql, key) = by_key(sql!("transfer/read/users"))?;
            let (rows, last) = collect(connection, sql, key, limit, user)?;
            (Rows::Users(rows), last)
        }
        Kind::Sessions => {
            let (sql, key) = by_key(sql!("transfer/read/sessions"))?;
            let (rows, last) = collect(connection, sql, key, limit, session)?;
            (Rows::Sessions(rows), last)
        }
        Kind::AppState => {
            let (rows, last) = states(connection, sql!("transfer/read/app_state"), after, limit, Scope::App)?;
            (Rows::AppState(rows), last)
        }
        Kind::UserState => {
            let (rows, last) =
                states(connection, sql!("transfer/read/user_state"), after, limit, Scope::User)?;
            (Rows::UserState(rows), last)
        }
        Kind::SessionState => {
            let (rows, last) =
                states(connection, sql!("transfer/read/session_state"), after, limit, Scope::Session)?;
            (Rows::SessionState(rows), last)
        }
        Kind::Events => {
            let (sql, key) = by_key(sql!("transfer/read/events"))?;
            let (rows, last) = collect(connection, sql, key, limit, event)?;
            (Rows::Events(rows), last)
        }
        Kind::Operations => {
            let (sql, key) = by_key(sql!("transfer/read/operations"))?;
            let (rows, last) = collect(connection, sql, key, limit, operation)?;
            (Rows::Operations(rows), last)
        }
        Kind::Requests => {
            let ([engine, session], id) = place::<2>(after)?;
            let sql = sql!("transfer/read/requests");
            let (rows, last) = collect(connection, sql, (engine, session, id), limit, request)?;
            (Rows::Requests(rows), last)
        }
    })
}

/// The place that a cursor holds, or one before everything.
fn place<const N: usize>(after: Option<&Cursor>) -> Attempt<([i64; N], &str)> {
    match after {
        Some(after) => Ok(cursor::read(LIST, after)?),
        None => Ok(([BEFORE; N], "")),
    }
}

/// Rows, and the place behind the last one.
type Found<R> = (Vec<R>, Option<Cursor>);

/// Reads rows until there are enough.
fn collect<R: Record>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    limit: Limit,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<(R, Cursor)>,
) -> Attempt<Found<R>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut portion = Portion::new(limit);
    while let Some(row) = rows.next()? {
        let (record, place) = read(row)?;
        if !portion.push(record, place) {
            break;
        }
    }
    Ok(portion.finish())
}

fn states(
    connection: &Connection,
    sql: &str,
    after: Option<&Cursor>,
    limit: Limit,
    scope: Scope,
) -> Attempt<Found<StateRecord>> {
    let ([owner], key) = place::<1>(after)?;
    collect(connection, sql, (owner, key), limit, |row| {
        let (engine, owner, key): (_, _, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let place = cursor::write(LIST, &[owner], &key);
        Ok((StateRecord { scope, engine, owner, key, value: row::bytes(row, 3)? }, place))
    })
}

/// The place behind a row with this key.
fn behind(key: i64) -> Cursor {
    cursor::write(LIST, &[key], "")
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp)
}

fn engine(row: &Row<'_>) -> rusqlite::Result<(EngineRecord, Cursor)> {
    let key = row.get(0)?;
    let location = LocationName { project: row.get(1)?, location: row.get(2)? };
    let engine = Engine {
        name: EngineName { location, engine: row.get(3)? },
        content: EngineContent {
            display_name: row.get(4)?,
            description: row.get(5)?,
            labels: row::labels(row, 6)?,
            settings: row::bytes(row, 7)?,
        },
        revision: row.get(8)?,
        create_time: time(row, 9)?,
        update_time: time(row, 10)?,
    };
    let deleted: Option<i64> = row.get(11)?;
    let deleted_by = deleted.map(|_| row::unsigned(row, 11)).transpose()?;
    Ok((EngineRecord { key, engine, deleted_by, state_bytes: row.get(12)? }, behind(key)))
}

fn user(row: &Row<'_>) -> rusqlite::Result<(UserRecord, Cursor)> {
    let key = row.get(0)?;
    let record = UserRecord { key, engine: row.get(1)?, user_id: row.get(2)?, state_bytes: row.get(3)? };
    Ok((record, behind(key)))
}

fn session(row: &Row<'_>) -> rusqlite::Result<(SessionRecord, Cursor)> {
    let key = row.get(0)?;
    let record = SessionRecord {
        key,
        engine: row.get(1)?,
        user: row.get(2)?,
        session_id: row.get(3)?,
        display_name: row.get(4)?,
        labels: row::labels(row, 5)?,
        create_time: time(row, 6)?,
        expire_time: time(row, 7)?,
        update_time: time(row, 8)?,
        last_sequence: row::unsigned(row, 9)?,
        state_bytes: row.get(10)?,
    };
    Ok((record, behind(key)))
}

fn event(row: &Row<'_>) -> rusqlite::Result<(EventRecord, Cursor)> {
    let record = EventRecord {
        engine: row.get(1)?,
        session: row.get(2)?,
        event: Event {
            timestamp: time(row, 3)?,
            sequence: row::unsigned(row, 4)?,
            id: row::unsigned(row, 5)?,
            payload: row::bytes(row, 8)?,
        },
        author: row.get(6)?,
        invocation_id: row.get(7)?,
    };
    Ok((record, behind(row.get(0)?)))
}

fn operation(row: &Row<'_>) -> rusqlite::Result<(OperationRecord, Cursor)> {
    let owner = match (row.get(3)?, row.get(4)?) {
        (Some(engine), Some(session)) => Owner::Session { engine, session },
        (Some(engine), None) => Owner::Engine(engine),
        (None, _) => Owner::Location,
    };
    let record = OperationRecord {
        id: row::unsigned(row, 0)?,
        location: LocationName { project: row.get(1)?, location: row.get(2)? },
        owner,
        kind: row::kind(row, 5)?,
        version: row::version(row, 6)?,
        done: row.get(7)?,
        create_time: time(row, 8)?,
        update_time: time(row, 9)?,
    };
    Ok((record, behind(row.get(0)?)))
}

fn request(row: &Row<'_>) -> rusqlite::Result<(RequestRecord, Cursor)> {
    let (engine, session, id): (_, _, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let place = cursor::write(LIST, &[engine, session], &id);
    let bytes = |column| row.get::<_, Vec<u8>>(column).map(Bytes::from);
    let (fingerprint, answer) = (bytes(3)?, bytes(4)?);
    Ok((RequestRecord { engine, session, id, fingerprint, answer, time: time(row, 5)? }, place))
}
