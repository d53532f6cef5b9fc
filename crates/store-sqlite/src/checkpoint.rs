//! Copies the write-ahead log into the database, on a thread of its own, so that no commit waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::connection::free_bytes;
use crate::error::is_full;
use crate::fault::Fault;
use crate::reserve::{Reserve, Room};

/// How often a log that has grown is copied, whether or not it is long.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often the log is copied while others write to it, each time what came meanwhile, before writers are held up.
const ROUNDS: usize = 4;
/// So few pages are copied in a moment.
const SMALL_REST_PAGES: i64 = 500;

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
    /// Starts the thread; `long` is how many pages make a long log. It ends when the checkpointer is stopped and
    /// every signal is gone.
    pub(crate) fn start(
        connection: Connection,
        long: usize,
        fault: Fault,
        reserve: Reserve,
    ) -> std::io::Result<(Self, Signal)> {
        let (wake, woken) = sync_channel(1);
        let commits = Arc::new(AtomicU64::new(0));
        let long = i64::try_from(long).unwrap_or(i64::MAX);
        let signal = Signal { wake: wake.clone(), commits: Arc::clone(&commits) };
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpoint".to_owned())
            .spawn(move || run(&connection, &woken, &commits, long, &fault, &reserve))?;
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

fn run(
    connection: &Connection,
    woken: &Receiver<()>,
    commits: &AtomicU64,
    long: i64,
    fault: &Fault,
    reserve: &Reserve,
) {
    let mut copied = 0;
    while let Ok(()) | Err(RecvTimeoutError::Timeout) = woken.recv_timeout(INTERVAL) {
        // What an earlier round copied may be lost: only a recovery from the whole log repairs it, and that is for
        // the next start. The log stays as it is.
        if fault.check().is_err() {
            continue;
        }
        let seen = commits.load(Ordering::Relaxed);
        if seen != copied {
            match copy(connection, long) {
                Ok(true) => copied = seen,
                Ok(false) => {}
                Err(error) => failed(&error, fault, reserve),
            }
        }
        if reserve.room() != Room::Plenty
            && let Err(error) = make_room(connection, reserve)
        {
            failed(&error, fault, reserve);
        }
    }
    if fault.check().is_err() {
        return;
    }
    let last = || checkpoint(connection, "TRUNCATE");
    let ended =
        last().or_else(|error| if is_full(&error) && reserve.give_up() { last() } else { Err(error) });
    if let Err(error) = ended {
        tracing::warn!(%error, "the last checkpoint failed; the log will be read at the next start");
    }
}

/// What could not be copied stays in the log, to be tried again. An I/O error says more: the disk is failing.
fn failed(error: &rusqlite::Error, fault: &Fault, reserve: &Reserve) {
    if is_full(error) {
        tracing::warn!(%error, "there is no room to copy the log into the database");
        reserve.give_up();
    } else if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
        fault.set("checkpoint", error);
    } else {
        tracing::warn!(%error, "a checkpoint failed and will be tried again");
    }
}

/// Copies what an earlier server left in the log, and cuts it. What there is no room for, or what somebody reads,
/// stays for later rounds.
pub(crate) fn begin_log(connection: &Connection, reserve: &Reserve) -> rusqlite::Result<()> {
    match make_room(connection, reserve) {
        Err(error) if is_full(&error) => {
            tracing::warn!(%error, "there is no room to copy the log into the database");
        }
        done => done?,
    }
    if reserve.room() != Room::Plenty {
        tracing::warn!(room = ?reserve.room(), "there is not enough room on the disk for the reserve");
    }
    Ok(())
}

/// Gives the room of the log back to the disk, and looks whether that is enough.
fn make_room(connection: &Connection, reserve: &Reserve) -> rusqlite::Result<()> {
    checkpoint(connection, "TRUNCATE")?;
    reserve.take(free_bytes(connection)?);
    Ok(())
}

/// Copies the log; whether all of it is copied. A log of `long` pages or more is then begun anew from its start,
/// so that it overwrites itself: a file that grows costs more than one that is there.
fn copy(connection: &Connection, long: i64) -> rusqlite::Result<bool> {
    let mut last_length = None;
    for _ in 0..ROUNDS {
        let Some(log) = checkpoint(connection, "PASSIVE")? else { return Ok(false) };
        if log.pages < long {
            return Ok(log.copied == log.pages);
        }
        if log.copied < log.pages {
            tracing::warn!(
                pages = log.pages,
                "the write-ahead log is long: a reader keeps it from being begun anew"
            );
            return Ok(false);
        }
        // The length is that of when the round began: what came during the last one is the difference.
        if last_length.is_some_and(|last| log.pages - last <= SMALL_REST_PAGES) {
            break;
        }
        last_length = Some(log.pages);
    }
    // Writers are held up while the rest is copied. Where a lock cannot be had, this is one more passive round.
    let log = checkpoint(connection, "RESTART")?;
    Ok(log.is_some_and(|log| log.copied == log.pages))
}

/// How far a log is copied.
struct Log {
    pages: i64,
    copied: i64,
}

/// Copies; `None` where another connection was at it.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Option<Log>> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (pages, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok((pages >= 0).then_some(Log { pages, copied }))
    })
}
