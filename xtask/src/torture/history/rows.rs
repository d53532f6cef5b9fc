//! What a store holds of each session at the end: the sequences, which no answer shows.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rusqlite::{Connection, OpenFlags};

use super::operation::{Id, Slot};
use crate::postgres::Postgres;

const SQLITE: &str = include_str!("../../../sql/history_rows_sqlite.sql");
const POSTGRES: &str = include_str!("../../../sql/history_rows_postgres.sql");

/// A session's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// Events with their sequences, by sequence.
    pub events: Vec<(u64, Id)>,
    /// The last sequence that was given out.
    pub last: u64,
}

/// A row as both stores give it.
type Row = (String, i64, Option<i64>, Option<String>);

/// Reads the database of a running server.
pub(super) fn of_sqlite(data: &Path, engine: &str) -> Result<BTreeMap<Slot, Rows>> {
    let database = data.join("colloquy.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&database, flags)
        .with_context(|| format!("cannot open {}", database.display()))?;
    let mut statement = connection.prepare(SQLITE)?;
    let rows = statement
        .query_map([engine_id(engine)?], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    by_session(rows.collect::<rusqlite::Result<Vec<Row>>>()?)
}

/// Asks the database.
pub(super) fn of_postgres(postgres: &Postgres, engine: &str) -> Result<BTreeMap<Slot, Rows>> {
    let engine = engine_id(engine)?;
    if !engine.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("{engine:?} is no engine id");
    }
    let answer = postgres.query(&POSTGRES.replace("$engine", engine))?;
    let row = |line: &str| -> Result<Row> {
        let columns: Vec<&str> = line.split(' ').collect();
        let [session, last, sequence, id] = columns.as_slice() else { bail!("{line:?} is no row") };
        let sequence = if sequence.is_empty() { None } else { Some(sequence.parse()?) };
        Ok(((*session).to_owned(), last.parse()?, sequence, Some((*id).to_owned())))
    };
    by_session(answer.lines().map(row).collect::<Result<Vec<Row>>>()?)
}

fn engine_id(engine: &str) -> Result<&str> {
    engine.rsplit('/').next().context("an engine has a name")
}

fn by_session(rows: Vec<Row>) -> Result<BTreeMap<Slot, Rows>> {
    let mut sessions = BTreeMap::<Slot, Rows>::new();
    for (session, last, sequence, id) in rows {
        let slot = session.strip_prefix("s-").and_then(|slot| slot.parse().ok());
        let slot = slot.with_context(|| format!("{session:?} is no session of a history"))?;
        let rows = sessions.entry(slot).or_default();
        rows.last = u64::try_from(last)?;
        if let Some(sequence) = sequence {
            let id = id.as_deref().and_then(|id| id.strip_prefix('e')).and_then(|id| id.parse().ok());
            let sequence = u64::try_from(sequence)?;
            rows.events.push((sequence, id.with_context(|| format!("an event of {session} has no number"))?));
        }
    }
    Ok(sessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_to_their_sessions() {
        let row = |session: &str, last, sequence, id: Option<&str>| {
            (session.to_owned(), last, sequence, id.map(str::to_owned))
        };
        let rows = by_session(vec![
            row("s-0", 2, Some(1), Some("e4")),
            row("s-0", 2, Some(2), Some("e9")),
            row("s-3", 0, None, None),
        ])
        .expect("rows of a history");
        assert_eq!(rows[&0], Rows { events: vec![(1, 4), (2, 9)], last: 2 });
        assert_eq!(rows[&3], Rows::default());
        assert!(by_session(vec![row("other", 0, None, None)]).is_err());
    }
}
