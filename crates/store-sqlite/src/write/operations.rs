//! Operations: insert with the write that they stand for, delete.

use colloquy_sessions::store::{NewOperation, StoreResult};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName};
use rusqlite::params;

use super::Write;
use crate::error::Attempt;
use crate::read;
use crate::row;

/// What an operation hangs from.
pub(super) enum Home<'a> {
    /// A location.
    Location(&'a LocationName),
    /// An engine.
    Engine(i64, &'a EngineName),
    /// A session.
    Session(i64, &'a EngineName),
}

/// A new operation as its columns hold it.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) id: i64,
    kind: i64,
    version: i64,
    time: i64,
}

/// Checks and turns, before anything is written.
pub(super) fn columns(operation: &NewOperation) -> StoreResult<Columns> {
    Ok(Columns {
        id: row::id_column(operation.id)?,
        kind: row::kind_column(operation.kind)?,
        version: row::version_column(operation.version)?,
        time: operation.time.0,
    })
}

/// Stores an operation.
pub(super) fn insert(
    write: &Write<'_>,
    operation: Columns,
    home: Home<'_>,
    done: bool,
) -> rusqlite::Result<()> {
    let (location, engine_key, session_key) = match home {
        Home::Location(location) => (location, None, None),
        Home::Engine(key, name) => (&name.location, Some(key), None),
        Home::Session(key, engine) => (&engine.location, None, Some(key)),
    };
    let Columns { id, kind, version, time } = operation;
    write.execute(
        sql!("operations/insert"),
        params![id, location.project, location.location, engine_key, session_key, kind, version, done, time],
    )?;
    Ok(())
}

/// Ends an operation, if it has not been forgotten.
pub(super) fn finish(write: &Write<'_>, id: i64, now: Timestamp) -> rusqlite::Result<()> {
    write.execute(sql!("operations/finish"), (id, now.0)).map(drop)
}

/// See `Store::delete_operation`.
pub(crate) fn delete(write: &Write<'_>, location: &LocationName, id: u64) -> Attempt<bool> {
    // Nobody hands in the time: what hangs from an expired session may be forgotten until that is freed.
    let long_ago = Timestamp(i64::MIN);
    if read::operations::get(write.connection, location, id, long_ago)?.is_none() {
        return Ok(false);
    }
    write.execute(sql!("operations/delete"), [row::id_column(id)?])?;
    Ok(true)
}
