//! SQLite by itself, for `cargo xtask bench`: one prepared insert, one thread, a commit for each batch, with the
//! settings that the store's writer has. What the store reaches is held against what this reaches.
//!
//! Prints `SQLITE-VERSION INSERTS MICROSECONDS`, and then how many microseconds each batch took, one a line.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks through it")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// The size of an event.
const PAYLOAD: [u8; 600] = [b'l'; 600];
const SESSIONS: i64 = 64;
/// The length at which the store copies its log into the database, in pages.
const CHECKPOINT_PAGES: i64 = 32_000;
/// The store's cache, in KiB.
const CACHE_KIB: i64 = 64 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: bare_group_commit FILE BATCH SECONDS");
    let (file, batch, seconds) = (next()?, next()?.parse::<usize>()?, next()?.parse::<f64>()?);
    let connection = open(Path::new(&file))?;
    let mut insert = connection.prepare(
        "INSERT INTO bare_events (session_key, timestamp, sequence, payload) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
    let mut commit = connection.prepare("COMMIT")?;
    let limit = Duration::try_from_secs_f64(seconds)?;
    let began = Instant::now();
    let mut batches = Vec::new();
    let mut inserts = 0_i64;
    while began.elapsed() < limit {
        let from = Instant::now();
        begin.execute(())?;
        for _ in 0..batch {
            insert.execute((inserts % SESSIONS, inserts, inserts, PAYLOAD))?;
            inserts += 1;
        }
        commit.execute(())?;
        batches.push(from.elapsed());
    }
    let mut said = format!("{} {inserts} {}\n", rusqlite::version(), began.elapsed().as_micros());
    for time in batches {
        writeln!(said, "{}", time.as_micros())?;
    }
    print!("{said}");
    Ok(())
}

/// A new database, set as the store's writer sets its own.
fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.execute_batch(
        "CREATE TABLE bare_events (
             event_key INTEGER PRIMARY KEY, session_key INTEGER NOT NULL, timestamp INTEGER NOT NULL,
             sequence INTEGER NOT NULL, payload BLOB NOT NULL
         ) STRICT;
         CREATE INDEX bare_ordered ON bare_events (session_key, timestamp, sequence);",
    )?;
    Ok(connection)
}
