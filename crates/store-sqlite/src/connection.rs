//! Connections: one that writes, some that read, one that checkpoints.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Options;

/// How long a statement waits for a lock. Only tools beside the server, such as a backup, hold one.
const BUSY: Duration = Duration::from_secs(5);
/// Checkpoints try again soon; they must not hold writers up meanwhile.
const CHECKPOINT_BUSY: Duration = Duration::from_millis(50);
/// Prepared statements kept per connection: all that there are.
const STATEMENTS: usize = 128;
/// What SQLite allows.
const MOST_PAGES: i64 = 4_294_967_294;
/// What the log is cut down to once it has been copied into the database.
const LOG_BYTES: i64 = 512 << 20;

/// The connection that migrates and writes; makes the file where there is none.
pub(crate) fn open_writer(database: &Path, options: &Options) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open(database, flags, BUSY)?;
    // Only a new file takes the page size.
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is synced before it is answered, but not by SQLite: see the module `sync`.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    cache(&connection, options.writer_cache_kib)?;
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn open_reader(database: &Path, options: &Options) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_ONLY, BUSY)?;
    connection.pragma_update(None, "mmap_size", options.mmap_bytes)?;
    cache(&connection, options.reader_cache_kib)?;
    Ok(connection)
}

/// The connection that checkpoints.
pub(crate) fn open_checkpointer(database: &Path) -> rusqlite::Result<Connection> {
    let connection = open(database, OpenFlags::SQLITE_OPEN_READ_WRITE, CHECKPOINT_BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

fn open(database: &Path, access: OpenFlags, busy: Duration) -> rusqlite::Result<Connection> {
    // Each connection is used by one thread at a time.
    let connection = Connection::open_with_flags(database, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans are the indexes' that were made for them, whatever is bound: without this guarantee other values
    // would have a statement prepared again, which costs more than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A connection that closes copies nothing by itself: after a fault the log is the only whole copy.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

fn cache(connection: &Connection, kib: u32) -> rusqlite::Result<()> {
    // A negative number counts KiB instead of pages.
    connection.pragma_update(None, "cache_size", -i64::from(kib))
}

/// How many pages the database has, with those in the log and in the transaction.
pub(crate) fn pages(connection: &Connection) -> rusqlite::Result<u64> {
    number(connection, "PRAGMA page_count")
}

/// How long a page is.
pub(crate) fn page_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    number(connection, "PRAGMA page_size")
}

/// How many bytes of the database are in no use.
pub(crate) fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(number(connection, "PRAGMA freelist_count")? * page_bytes(connection)?)
}

fn number(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    let number: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Lets the database grow, or only fill what is free in it.
pub(crate) fn let_grow(connection: &Connection, grow: bool) -> rusqlite::Result<()> {
    // No limit is below what there is.
    connection.pragma_update(None, "max_page_count", if grow { MOST_PAGES } else { 1 })
}
