//! Snapshot readers: a few read-only connections, one query each at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use colloquy_sessions::store::{StoreError, StoreResult};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Options;
use crate::connection::open_reader;
use crate::error::{Attempt, Failure};
use crate::sync::Commits;

/// The connections, and who waits for one.
#[derive(Debug)]
pub(crate) struct Readers {
    idle: Mutex<Vec<Connection>>,
    // One permit for each connection: who holds a permit finds one idle.
    permits: Arc<Semaphore>,
    // Lists hold a reader longer than what asks for one row: they never hold all of them.
    lists: Arc<Semaphore>,
    size: usize,
    commits: Commits,
}

impl Readers {
    /// Opens them all.
    pub(crate) fn open(database: &Path, options: &Options, commits: Commits) -> rusqlite::Result<Arc<Self>> {
        let size = options.readers.max(1);
        let idle = (0..size).map(|_| open_reader(database, options)).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Arc::new(Self {
            idle: Mutex::new(idle),
            permits: Arc::new(Semaphore::new(size)),
            lists: Arc::new(Semaphore::new((size - 1).max(1))),
            size,
            commits,
        }))
    }

    /// Runs `query` in one read transaction: all that it reads is of one moment, and that moment is after
    /// every write which was acknowledged before. What it has read is on disk when this comes back.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Attempt<T> + Send + 'static,
    ) -> StoreResult<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let readers = Arc::clone(self);
        let work = move || {
            let lease = Lease::take(readers, permit)?;
            let transaction = lease.connection()?.unchecked_transaction()?;
            let found = query(&transaction)?;
            Ok((found, lease.readers.commits.last_begun()))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok((found, last_seen))) => {
                self.commits.on_disk(last_seen).await;
                Ok(found)
            }
            Ok(Err(failure)) => Err(Failure::into_store_error(failure)),
            Err(error) => Err(StoreError::Internal(format!("a read did not end: {error}"))),
        }
    }

    /// The same for a query that walks over many rows.
    pub(crate) async fn list<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Attempt<T> + Send + 'static,
    ) -> StoreResult<T> {
        let _turn = self.lists.acquire().await.map_err(|_| closed())?;
        self.read(query).await
    }

    /// Waits for the queries that run, refuses new ones, and closes the connections.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        // An error means that it is closed already.
        let _all = self.permits.acquire_many(all).await;
        self.permits.close();
        self.lists.close();
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// A connection on loan; goes back when dropped, also when the query panics.
struct Lease {
    readers: Arc<Readers>,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    fn take(readers: Arc<Readers>, permit: OwnedSemaphorePermit) -> StoreResult<Self> {
        let connection = readers.lock().pop();
        if connection.is_none() {
            return Err(closed());
        }
        Ok(Self { readers, connection, _permit: permit })
    }

    fn connection(&self) -> StoreResult<&Connection> {
        self.connection.as_ref().ok_or_else(closed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.readers.lock().push(connection);
        }
    }
}
