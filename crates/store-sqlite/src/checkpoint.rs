//! Copies the write-ahead log into the database, on a thread of its own, so that no commit waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::fault::Fault;

/// How often a log that has grown is copied, whether or not it is long.
const INTERVAL: Duration = Duration::from_secs(1);
/// A log of so many pages is emptied even if readers and writers have to wait a moment for it.
const LONG_LOG_PAGES: i64 = 100_000;

/// The thread, while it runs.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    thread: Mutex<Option<(SyncSender<()>, JoinHandle<()>)>>,
}

/// How the writer reports its commits.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    wake: SyncSender<()>,
    commits: Arc<AtomicU64>,
}

impl Signal {
    /// There is something to copy.
    pub(crate) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// The log is long enough to be copied now.
    pub(crate) fn wake(&self) {
        // A full channel means that it has been woken already.
        let _ = self.wake.try_send(());
    }
}

impl Checkpointer {
    /// Starts the thread. It ends when the checkpointer is stopped and every signal is gone.
    pub(crate) fn start(connection: Connection, fault: Fault) -> std::io::Result<(Self, Signal)> {
        let (wake, woken) = sync_channel(1);
        let commits = Arc::new(AtomicU64::new(0));
        let signal = Signal { wake: wake.clone(), commits: Arc::clone(&commits) };
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpoint".to_owned())
            .spawn(move || run(&connection, &woken, &commits, &fault))?;
        Ok((Self { thread: Mutex::new(Some((wake, thread))) }, signal))
    }

    /// Copies what is left, empties the log, and ends the thread. The writer must have ended before.
    pub(crate) fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((wake, thread)) = thread {
            drop(wake);
            if thread.join().is_err() {
                tracing::error!("the checkpoint thread panicked");
            }
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<()>, commits: &AtomicU64, fault: &Fault) {
    let mut copied = 0;
    while let Ok(()) | Err(RecvTimeoutError::Timeout) = woken.recv_timeout(INTERVAL) {
        let seen = commits.load(Ordering::Relaxed);
        if seen != copied && passive(connection, fault) {
            copied = seen;
        }
    }
    if let Err(error) = checkpoint(connection, "TRUNCATE") {
        tracing::warn!(%error, "the last checkpoint failed; the log will be read at the next start");
    }
}

/// Whether the whole log is copied.
fn passive(connection: &Connection, fault: &Fault) -> bool {
    match checkpoint(connection, "PASSIVE") {
        Ok((log, copied)) => {
            if log > LONG_LOG_PAGES
                && let Err(error) = checkpoint(connection, "TRUNCATE")
            {
                tracing::warn!(%error, pages = log, "the write-ahead log is long and could not be emptied");
            }
            log == copied
        }
        Err(error) => {
            // What could not be copied stays in the log. An I/O error says more: the disk is failing.
            if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
                fault.set("checkpoint", &error);
            } else {
                tracing::warn!(%error, "a checkpoint failed and will be tried again");
            }
            false
        }
    }
}

/// The pages in the log, and how many of them are copied.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<(i64, i64)> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| Ok((row.get(1)?, row.get(2)?)))
}
