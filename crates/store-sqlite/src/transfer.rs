//! A data directory opened for its rows: what a migration reads from and writes to, while no server has it.

mod mark;
mod put;
mod read;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use colloquy_sessions::page::Cursor;
use colloquy_sessions::store::StoreError;
use colloquy_sessions::transfer::{
    Identity, Kind, Limit, Position, Rows, Transfer, TransferError, TransferResult,
};
use rusqlite::Connection;

use crate::Options;
use crate::connection::open_writer;
use crate::directory::DataDirectory;
use crate::error::{Failure, OpenError, is_full, store_error};
use crate::log_check;
use crate::migrate::migrate;
use crate::reserve::Reserve;

pub(crate) use mark::refuse_unfinished;

/// The log is copied into the database when it has grown by so many pages.
const CHECKPOINT_PAGES: i64 = 8_000;

/// A data directory that nobody serves from.
#[derive(Debug)]
pub struct SqliteTransfer {
    identity: Identity,
    opened: Arc<Mutex<Option<Opened>>>,
}

/// The connection goes before the lock.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    directory: DataDirectory,
}

impl SqliteTransfer {
    /// Opens a directory that is to be copied. Blocks.
    ///
    /// # Errors
    /// There is no database in it, a server has it, it is itself the destination of an unfinished migration, or
    /// the disk fails.
    pub fn open_source(directory: &Path) -> Result<Self, OpenError> {
        if !DataDirectory::has_database(directory) {
            return Err(OpenError::NoStore { directory: directory.to_owned() });
        }
        let transfer = Self::open(directory)?;
        if let Some(opened) = &*transfer.lock() {
            refuse_unfinished(&opened.connection, &opened.directory.database())?;
        }
        Ok(transfer)
    }

    /// Opens a directory that is to be copied to, and makes it where there is none. Blocks.
    ///
    /// # Errors
    /// A server has it, or the disk fails.
    pub fn open_destination(directory: &Path) -> Result<Self, OpenError> {
        Self::open(directory)
    }

    fn open(path: &Path) -> Result<Self, OpenError> {
        let directory = DataDirectory::take(path)?;
        let database = directory.database();
        log_check::check_and_sync(&directory.log())?;
        // Its room may be all there is left; the next server takes it again.
        Reserve::new(directory.reserve(), 0).map_err(|source| OpenError::Io {
            action: "open the reserve",
            path: directory.reserve(),
            source,
        })?;
        let sqlite = |source| OpenError::Sqlite { database: database.clone(), source };
        let mut connection = open_writer(&database, &Options::default()).map_err(sqlite)?;
        // Every commit is on disk before it counts, and SQLite itself copies the log.
        connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(sqlite)?;
        // As at each start: what a kill left in the log is never beside what is written now.
        match empty_log(&connection) {
            // A store on a full disk can still be copied from.
            Err(error) if is_full(&error) => {}
            done => done.map_err(sqlite)?,
        }
        migrate(&mut connection, &database)?;
        directory.sync()?;
        let whole = path.canonicalize().map_err(|source| OpenError::Io {
            action: "find the directory",
            path: path.to_owned(),
            source,
        })?;
        let name = whole.display().to_string();
        Ok(Self {
            identity: Identity { token: format!("sqlite:{name}"), name },
            opened: Arc::new(Mutex::new(Some(Opened { connection, directory }))),
        })
    }

    /// What is opened, while it is.
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs in one transaction, on a thread that may block; all that it wrote is undone where it fails.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Attempt<T> + Send + 'static,
    ) -> TransferResult<T> {
        let opened = Arc::clone(&self.opened);
        let work = move || {
            let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(Opened { connection, .. }) = opened.as_mut() else {
                return Err(StoreError::Unavailable("the store is closed".to_owned()).into());
            };
            let transaction = connection.transaction()?;
            let output = work(&transaction)?;
            transaction.commit()?;
            Ok(output)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result.map_err(|Stopped(error)| error),
            Err(error) => Err(StoreError::Internal(format!("a transfer did not end: {error}")).into()),
        }
    }
}

/// Copies the log into the database.
fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Why something that a transfer tried was undone.
#[derive(Debug)]
struct Stopped(TransferError);

type Attempt<T> = Result<T, Stopped>;

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self(store_error(&error).into())
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self(failure.into_store_error().into())
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<TransferError> for Stopped {
    fn from(error: TransferError) -> Self {
        Self(error)
    }
}

#[async_trait]
impl Transfer for SqliteTransfer {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn sizes(&self) -> TransferResult<[u64; Kind::ALL.len()]> {
        self.run(|connection| Ok(read::sizes(connection)?)).await
    }

    async fn read(
        &self,
        kind: Kind,
        after: Option<&Cursor>,
        limit: Limit,
    ) -> TransferResult<(Rows, Option<Cursor>)> {
        let after = after.cloned();
        self.run(move |connection| Ok(read::read(connection, kind, after.as_ref(), limit)?)).await
    }

    async fn begin(&self, source: &Identity) -> TransferResult<Position> {
        let source = source.clone();
        self.run(move |connection| mark::begin(connection, &source)).await
    }

    async fn write(&self, rows: &Rows, from: &Position, to: &Position) -> TransferResult<()> {
        let (rows, from, to) = (rows.clone(), from.clone(), to.clone());
        self.run(move |connection| {
            mark::advance(connection, &from, &to)?;
            Ok(put::put(connection, &rows)?)
        })
        .await
    }

    async fn finish(&self) -> TransferResult<()> {
        self.run(|connection| Ok(mark::end(connection)?)).await
    }

    async fn close(&self) {
        let opened = Arc::clone(&self.opened);
        let close = move || {
            let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(Opened { connection, .. }) = &opened
                && let Err(error) = empty_log(connection)
            {
                tracing::warn!(%error, "the last checkpoint failed; the log will be read at the next start");
            }
        };
        if let Err(error) = tokio::task::spawn_blocking(close).await {
            tracing::error!(%error, "the store did not close in order");
        }
    }
}
