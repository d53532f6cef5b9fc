//! The mark of an unfinished copy: a table that is there for as long as one is.

use std::path::Path;

use colloquy_sessions::page::Cursor;
use colloquy_sessions::store::StoreError;
use colloquy_sessions::transfer::{Identity, Kind, Position, TransferError};
use rusqlite::{Connection, Row};

use super::Attempt;
use crate::error::OpenError;
use crate::row::{count, unsigned};

/// Refuses a database that is not whole yet.
pub(crate) fn refuse_unfinished(connection: &Connection, database: &Path) -> Result<(), OpenError> {
    match find(connection) {
        Ok(None) => Ok(()),
        Ok(Some(mark)) => {
            Err(OpenError::UnfinishedMigration { database: database.to_owned(), from: mark.source.name })
        }
        Err(source) => Err(OpenError::Sqlite { database: database.to_owned(), source }),
    }
}

/// An unfinished copy.
struct Mark {
    source: Identity,
    kind: i64,
    place: Vec<u8>,
    rows: u64,
}

fn find(connection: &Connection) -> rusqlite::Result<Option<Mark>> {
    if !ask(connection, sql!("transfer/mark/exists"))? {
        return Ok(None);
    }
    let read = |row: &Row<'_>| {
        Ok(Mark {
            source: Identity { token: row.get(0)?, name: row.get(1)? },
            kind: row.get(2)?,
            place: row.get(3)?,
            rows: unsigned(row, 4)?,
        })
    };
    connection.query_row(sql!("transfer/mark/get"), [], read).map(Some)
}

fn ask(connection: &Connection, sql: &str) -> rusqlite::Result<bool> {
    connection.query_row(sql, [], |row| row.get(0))
}

/// See `Transfer::begin`.
pub(super) fn begin(connection: &Connection, source: &Identity) -> Attempt<Position> {
    if let Some(mark) = find(connection)? {
        if mark.source.token != source.token {
            return Err(TransferError::OtherSource(mark.source.name).into());
        }
        let kind = usize::try_from(mark.kind).ok().and_then(|number| Kind::ALL.get(number).copied());
        let kind = kind.ok_or_else(|| StoreError::Internal(format!("no kind has number {}", mark.kind)))?;
        let after = (!mark.place.is_empty()).then_some(Cursor(mark.place));
        return Ok(Position { kind, after, rows: mark.rows });
    }
    if ask(connection, sql!("transfer/mark/holds_data"))? {
        return Err(TransferError::NotEmpty.into());
    }
    connection.execute(sql!("transfer/mark/create"), [])?;
    connection.execute(
        sql!("transfer/mark/begin"),
        (&source.token, &source.name, count(Position::START.kind.number())),
    )?;
    Ok(Position::START)
}

/// Moves the place to go on from, if it is where it is thought to be.
pub(super) fn advance(connection: &Connection, from: &Position, to: &Position) -> Attempt<()> {
    let rows = i64::try_from(to.rows).unwrap_or(i64::MAX);
    let changed = connection.prepare_cached(sql!("transfer/mark/advance"))?.execute((
        count(to.kind.number()),
        place(to),
        rows,
        count(from.kind.number()),
        place(from),
    ))?;
    if changed == 1 { Ok(()) } else { Err(TransferError::Overtaken.into()) }
}

fn place(position: &Position) -> &[u8] {
    position.after.as_ref().map_or(&[], |cursor| &cursor.0)
}

/// See `Transfer::finish`.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(sql!("transfer/mark/drop"), []).map(drop)
}
