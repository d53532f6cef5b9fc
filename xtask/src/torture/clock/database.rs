//! What is in the database, seen from outside, and the horizon put where days of running would have put it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rusqlite::{Connection, OpenFlags};

const COUNTS: &str = include_str!("../../../sql/clock_counts.sql");
const SESSIONS: &str = include_str!("../../../sql/clock_sessions.sql");
const SET_HORIZON: &str = include_str!("../../../sql/clock_set_horizon.sql");
const SET_LASTED: &str = include_str!("../../../sql/clock_set_lasted.sql");
const PATIENCE: Duration = Duration::from_secs(120);
const BUSY: Duration = Duration::from_secs(10);

/// A data directory's database.
#[derive(Debug)]
pub(super) struct Database(PathBuf);

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub sessions: i64,
    /// Rows of sessions that are not there.
    pub orphans: i64,
}

impl Database {
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join("colloquy.db"))
    }

    pub(super) fn counts(&self) -> Result<Counts> {
        let counts = self
            .open(OpenFlags::SQLITE_OPEN_READ_ONLY)?
            .query_row(COUNTS, [], |row| Ok(Counts { sessions: row.get(0)?, orphans: row.get(1)? }))?;
        Ok(counts)
    }

    /// All pages, and those of them that hold nothing.
    pub(super) fn pages(&self) -> Result<(i64, i64)> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let of = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
        Ok((of("page_count")?, of("freelist_count")?))
    }

    /// Waits until so many sessions are left.
    pub(super) fn wait_for_sessions(&self, count: i64) -> Result<()> {
        let asked = Instant::now();
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement = connection.prepare(SESSIONS)?;
        loop {
            let there: i64 = statement.query_row([], |row| row.get(0))?;
            if there == count {
                return Ok(());
            }
            if there < count {
                bail!("{there} sessions are left where {count} are alive");
            }
            if asked.elapsed() > PATIENCE {
                bail!("{there} sessions are there after {} s, and {count} are alive", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As if a server had run until `micros`. None may run.
    pub(super) fn set_horizon(&self, micros: i64) -> Result<()> {
        self.change(SET_HORIZON, micros)
    }

    /// As if a server had seen the clock ahead for so long. None may run.
    pub(super) fn set_lasted(&self, lasted: Duration) -> Result<()> {
        let micros = i64::try_from(lasted.as_micros())?;
        self.change(SET_LASTED, micros)
    }

    fn change(&self, statement: &str, value: i64) -> Result<()> {
        if self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?.execute(statement, [value])? != 1 {
            bail!("the database has no such horizon");
        }
        Ok(())
    }

    fn open(&self, access: OpenFlags) -> Result<Connection> {
        let connection = Connection::open_with_flags(&self.0, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .with_context(|| format!("cannot open {}", self.0.display()))?;
        connection.busy_timeout(BUSY)?;
        Ok(connection)
    }
}
