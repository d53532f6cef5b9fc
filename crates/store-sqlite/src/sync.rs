//! Brings the log to disk.
//!
//! SQLite commits without waiting for the disk (`synchronous=NORMAL`): what it promises then is that the log is cut
//! at the end of some transaction after a loss of power, never within one. Here it is synced after each commit, before
//! anybody is answered: on a thread of its own, so that the next batch runs while the last one goes to disk.
//! Readers see a commit before that, and so a reader waits until all that it saw is on disk.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::fault::Fault;
use crate::job::Job;

/// How many commits may be in the log and not on disk: one that is being synced, and one behind it.
pub(crate) const UNSYNCED_COMMITS: usize = 2;

/// Makes sure that a file is on disk; tests put a failing disk here.
pub(crate) type Sync = fn(&File) -> io::Result<()>;

/// Syncs as the system does.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// A commit, and who waits for it to be on disk.
pub(crate) struct Commit {
    /// From 1, without gaps.
    pub(crate) number: u64,
    pub(crate) jobs: Vec<Box<dyn Job>>,
}

/// How far commits have come.
#[derive(Clone, Debug)]
pub(crate) struct Commits {
    begun: Arc<AtomicU64>,
    synced: watch::Sender<u64>,
}

impl Commits {
    pub(crate) fn new() -> Self {
        Self { begun: Arc::default(), synced: watch::Sender::new(0) }
    }

    /// The last commit that a read may have seen.
    pub(crate) fn last_begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Waits until a commit is on disk, or will never be: after a fault, reads go on with what there is.
    pub(crate) async fn on_disk(&self, number: u64) {
        // The sender is kept here, so this ends.
        let _ = self.synced.subscribe().wait_for(|synced| *synced >= number).await;
    }
}

/// The log, to be synced.
#[derive(Debug)]
pub(crate) struct LogSync {
    file: File,
    sync: Sync,
    commits: Commits,
    fault: Fault,
}

impl LogSync {
    /// Opens the log, which must be there: it stays the same file for as long as the database is open.
    pub(crate) fn open(path: &Path, sync: Sync, commits: Commits, fault: Fault) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Self { file, sync, commits, fault })
    }

    /// Numbers a commit, before anybody can see it.
    pub(crate) fn begin_commit(&self) -> u64 {
        self.commits.begun.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether a commit, and all before it, are on disk.
    pub(crate) fn is_synced(&self, number: u64) -> bool {
        *self.commits.synced.borrow() >= number
    }

    /// Syncs the log and answers those who wait for the commit.
    pub(crate) fn sync(&self, Commit { number, jobs }: Commit) {
        // Nobody can tell what of the log a failed sync has lost: a second one that succeeds proves nothing about it.
        let synced = self
            .fault
            .check()
            .and_then(|()| (self.sync)(&self.file).map_err(|error| self.fault.set("sync", &error)));
        match synced {
            Ok(()) => {
                self.commits.synced.send_replace(number);
                jobs.into_iter().for_each(Job::answer);
            }
            Err(refusal) => {
                self.commits.synced.send_replace(u64::MAX);
                jobs.into_iter().for_each(|job| job.fail(refusal.clone()));
            }
        }
    }
}

/// The thread; it ends with this value, after it has synced all that it was given.
#[derive(Debug)]
pub(crate) struct Syncer {
    commits: Option<SyncSender<Commit>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    pub(crate) fn start(log: Arc<LogSync>) -> io::Result<Self> {
        // A commit is handed over when the thread is free: more than one behind it would only make batches smaller.
        let (sender, receiver) = sync_channel(0);
        let thread =
            std::thread::Builder::new().name("sqlite-sync".to_owned()).spawn(move || run(&log, &receiver))?;
        Ok(Self { commits: Some(sender), thread: Some(thread) })
    }

    /// Hands a commit over; gives it back where the thread has ended.
    pub(crate) fn send(&self, commit: Commit) -> Result<(), Commit> {
        match &self.commits {
            Some(commits) => commits.send(commit).map_err(|unsent| unsent.0),
            None => Err(commit),
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        drop(self.commits.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that syncs the log panicked");
        }
    }
}

fn run(log: &LogSync, commits: &Receiver<Commit>) {
    while let Ok(commit) = commits.recv() {
        log.sync(commit);
    }
}
