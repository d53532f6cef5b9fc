//! The horizon of upkeep: read.

use std::time::Duration;

use colloquy_sessions::horizon::{Ahead, Horizon};
use colloquy_sessions::time::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// See `Store::horizon`.
pub(crate) fn get(connection: &Connection) -> rusqlite::Result<Option<Horizon>> {
    connection
        .prepare_cached(sql!("upkeep/horizon"))?
        .query_row([], |row| {
            let (since, lasted): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            let lasted = Duration::from_micros(lasted.unwrap_or(0).unsigned_abs());
            let ahead = since.map(|since| Ahead { since: Timestamp(since), lasted });
            Ok(Horizon { believed: Timestamp(row.get(0)?), ahead })
        })
        .optional()
}
