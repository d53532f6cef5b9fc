//! The coalescing writer: one thread that takes what is waiting, runs it in one transaction, commits once, and hands
//! it on to be synced and answered. The cost of a sync to disk is shared by all that waited for the last one.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use colloquy_sessions::store::{StoreError, StoreResult};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::Options;
use crate::blocks::Blocks;
use crate::checkpoint::Signal;
use crate::connection::{let_grow, pages};
use crate::error::{Attempt, is_defect, is_full, store_error};
use crate::fault::Fault;
use crate::job::{Job, Pending};
use crate::reserve::{Reserve, Room};
use crate::sync::{Commit, LogSync, Syncer};
use crate::write::{EngineKeys, Write};

/// How many commands may wait.
const QUEUE: usize = 4096;
/// How many KiB of commands may wait or run.
const QUEUE_KIB: usize = 128 << 10;
/// How often a batch that waits for company looks for it.
const LOOK_AGAIN: Duration = Duration::from_micros(20);
/// A batch is closed once it holds so many bytes.
const BATCH_BYTES: usize = 8 << 20;

/// Ends a transaction.
fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute(()).map(drop)
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    room: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
    fault: Fault,
    reserve: Reserve,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        mut connection: Connection,
        options: &Options,
        signal: Signal,
        log: LogSync,
        fault: Fault,
        reserve: Reserve,
        blocks: Blocks,
    ) -> Result<Self, StartError> {
        let log_pages = Arc::new(AtomicUsize::new(0));
        let hook_pages = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            hook_pages.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let log = Arc::new(log);
        let thread = WriterThread {
            syncer: Syncer::start(Arc::clone(&log))?,
            log,
            sent: (0, 0),
            is_alone: false,
            connection,
            engines: EngineKeys::default(),
            fault: fault.clone(),
            reserve: reserve.clone(),
            may_grow: true,
            blocks,
            signal,
            log_pages,
            signalled_at: 0,
            checkpoint_pages: options.checkpoint_pages,
        };
        let max_batch = options.max_batch.max(1);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.run(receiver, max_batch))?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
            thread: Mutex::new(Some(thread)),
            fault,
            reserve,
        })
    }

    /// Runs `command` on the thread and gives back its result once that is on disk. `bytes` is about
    /// what the command holds in memory. A command may be run more than once, each time on a database
    /// that shows nothing of the time before. It is run also if the caller goes away meanwhile.
    pub(crate) async fn submit<T: Send + 'static>(
        &self,
        bytes: usize,
        command: impl FnMut(&mut Write<'_>) -> Attempt<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.send(bytes, false, command).await
    }

    /// The same for a command that frees room: it is run also when the disk is full.
    pub(crate) async fn submit_freeing<T: Send + 'static>(
        &self,
        bytes: usize,
        command: impl FnMut(&mut Write<'_>) -> Attempt<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.send(bytes, true, command).await
    }

    async fn send<T: Send + 'static>(
        &self,
        bytes: usize,
        frees: bool,
        command: impl FnMut(&mut Write<'_>) -> Attempt<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.fault.check()?;
        let closed = || StoreError::Unavailable("the store is closed".to_owned());
        let kib = u32::try_from((bytes / 1024 + 1).min(QUEUE_KIB)).unwrap_or(1);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| closed())?;
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        let job = Pending { command, bytes, frees, outcome: None, reply, _room: room };
        queue.send(Box::new(job)).await.map_err(|_| closed())?;
        drop(queue);
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has ended".to_owned())))
    }

    /// Runs what is waiting, refuses what comes later, and ends the thread.
    pub(crate) fn stop(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }

    /// Whether it takes commands of every kind.
    pub(crate) fn check(&self) -> StoreResult<()> {
        self.fault.check()?;
        self.reserve.check()?;
        match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(queue) if !queue.is_closed() => Ok(()),
            _ => Err(StoreError::Unavailable("the writer has ended".to_owned())),
        }
    }
}

/// Why the thread could not be started.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The log could not be watched.
    Sqlite(rusqlite::Error),
    /// There was no thread to be had.
    Io(std::io::Error),
}

impl From<rusqlite::Error> for StartError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

struct WriterThread {
    connection: Connection,
    engines: EngineKeys,
    fault: Fault,
    reserve: Reserve,
    /// Whether the database may become longer.
    may_grow: bool,
    /// What the log is copied to.
    blocks: Blocks,
    signal: Signal,
    log: Arc<LogSync>,
    syncer: Syncer,
    /// The last commit that was handed over, and how many wait for it.
    sent: (u64, usize),
    /// Whether nobody else was waiting when the batch began.
    is_alone: bool,
    /// How long the log was after the last commit.
    log_pages: Arc<AtomicUsize>,
    /// How long the log was when a checkpoint was last asked for.
    signalled_at: usize,
    checkpoint_pages: usize,
}

enum BatchError {
    Statement(rusqlite::Error),
    Commit(rusqlite::Error),
}

impl WriterThread {
    fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>, max_batch: usize) {
        let mut waiting = Vec::with_capacity(max_batch);
        while queue.blocking_recv_many(&mut waiting, max_batch) > 0 {
            self.gather(&mut queue, &mut waiting, max_batch);
            self.is_alone = waiting.len() == 1 && queue.is_empty();
            let mut batch = Vec::with_capacity(waiting.len());
            let mut bytes = 0;
            for job in waiting.drain(..) {
                bytes += job.bytes();
                batch.push(job);
                if bytes >= BATCH_BYTES {
                    self.execute(std::mem::take(&mut batch));
                    bytes = 0;
                }
            }
            if !batch.is_empty() {
                self.execute(batch);
            }
        }
    }

    /// Waits for company while the last commit is synced, until as many have come as it has: a commit writes pages
    /// that all of its batch share, so two that take turns are best when they are equally large.
    fn gather(
        &self,
        queue: &mut mpsc::Receiver<Box<dyn Job>>,
        waiting: &mut Vec<Box<dyn Job>>,
        max_batch: usize,
    ) {
        let (number, jobs) = self.sent;
        let target = jobs.min(max_batch);
        while waiting.len() < target && !self.log.is_synced(number) {
            std::thread::sleep(LOOK_AGAIN);
            while waiting.len() < max_batch
                && let Ok(job) = queue.try_recv()
            {
                waiting.push(job);
            }
        }
    }

    /// Runs a batch; whoever waits for it is answered once it is on disk.
    fn execute(&mut self, batch: Vec<Box<dyn Job>>) {
        if let Err(error) = self.fault.check() {
            batch.into_iter().for_each(|job| job.fail(error.clone()));
            return;
        }
        let mut batch = self.admit(batch);
        if batch.is_empty() {
            return;
        }
        let error = match self.attempt(&mut batch) {
            Ok(number) => {
                self.report_commit();
                self.sync(number, batch);
                return;
            }
            Err(error) => error,
        };
        self.engines.clear();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            // The next batch could not begin, or worse, would commit what was refused here.
            self.fault.set("rollback", &error);
        }
        match error {
            BatchError::Statement(error) if is_defect(&error) && batch.len() > 1 => {
                // One of them is at fault: the others shall not suffer from it.
                batch.into_iter().for_each(|job| self.execute(vec![job]));
            }
            BatchError::Statement(error) | BatchError::Commit(error) if is_full(&error) => {
                tracing::error!(%error, "there is no room for a write");
                let has_more = self.reserve.give_up();
                self.signal.wake();
                let (freeing, others): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|job| has_more && job.frees());
                others.into_iter().for_each(|job| job.fail(store_error(&error)));
                self.execute(freeing);
            }
            BatchError::Statement(error) => {
                tracing::error!(%error, "a write failed");
                if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
                    self.fault.set("write", &error);
                }
                batch.into_iter().for_each(|job| job.fail(store_error(&error)));
            }
            BatchError::Commit(error) => {
                // Nobody can tell what of the log has reached the disk: a second sync that succeeds proves
                // nothing about pages that the first one lost.
                self.fault.set("commit", &error);
                let refusal = self.fault.check().err().unwrap_or_else(|| store_error(&error));
                batch.into_iter().for_each(|job| job.fail(refusal.clone()));
            }
        }
    }

    /// Refuses what there is no room for; gives back the rest.
    fn admit(&mut self, batch: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        let may_grow = self.reserve.room() != Room::Lean;
        if may_grow != self.may_grow {
            match let_grow(&self.connection, may_grow) {
                Ok(()) => self.may_grow = may_grow,
                Err(error) => tracing::warn!(%error, "the size of the database could not be bounded"),
            }
        }
        let Err(full) = self.reserve.check() else { return batch };
        let (freeing, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(|job| job.frees());
        others.into_iter().for_each(|job| job.fail(full.clone()));
        freeing
    }

    /// Runs a batch and commits it; the number of the commit.
    fn attempt(&mut self, batch: &mut [Box<dyn Job>]) -> Result<u64, BatchError> {
        let begin = |connection: &Connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute(());
        begin(&self.connection).map_err(BatchError::Statement)?;
        let mut write = Write { connection: &self.connection, engines: &mut self.engines };
        for job in batch {
            job.run(&mut write).map_err(BatchError::Statement)?;
        }
        let pages = pages(&self.connection).map_err(BatchError::Statement)?;
        self.blocks.take(pages).map_err(BatchError::Statement)?;
        let number = self.log.begin_commit();
        if let Err(error) = commit(&self.connection) {
            // Nothing came of it; those who saw that it was begun need not wait for it.
            self.sync(number, Vec::new());
            return Err(BatchError::Commit(error));
        }
        Ok(number)
    }

    /// Brings a commit to disk. One who is alone is not kept waiting for another thread to wake up.
    fn sync(&mut self, number: u64, batch: Vec<Box<dyn Job>>) {
        self.sent = (number, batch.len());
        let commit = Commit { number, jobs: batch };
        if self.is_alone && self.log.is_synced(number.saturating_sub(1)) {
            self.log.sync(commit);
        } else if let Err(commit) = self.syncer.send(commit) {
            // The thread is gone, which it is only after a panic.
            self.log.sync(commit);
        }
    }

    fn report_commit(&mut self) {
        self.signal.committed();
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < self.signalled_at {
            // The log has begun anew.
            self.signalled_at = 0;
        }
        if pages >= self.signalled_at + self.checkpoint_pages {
            self.signalled_at = pages;
            self.signal.wake();
        }
    }
}

/// Names the file in the errors of a start.
pub(crate) fn start_error(database: &Path, error: StartError) -> crate::OpenError {
    let database = database.to_owned();
    match error {
        StartError::Sqlite(source) => crate::OpenError::Sqlite { database, source },
        StartError::Io(source) => {
            crate::OpenError::Io { action: "start the threads of", path: database, source }
        }
    }
}
