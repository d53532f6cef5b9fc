//! Commands that wait for the writer, each with the one who waits for it.

use colloquy_sessions::store::{StoreError, StoreResult};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{Attempt, Failure};
use crate::write::Write;

/// A command and the one who waits for it.
pub(crate) trait Job: Send {
    /// About what it holds in memory.
    fn bytes(&self) -> usize;
    /// Whether it is run also when the disk is full.
    fn frees(&self) -> bool;
    /// Runs it and keeps what it gave. An error is of SQLite; the transaction is then spoilt.
    fn run(&mut self, write: &mut Write<'_>) -> rusqlite::Result<()>;
    /// Answers with what it gave.
    fn answer(self: Box<Self>);
    /// Answers with an error.
    fn fail(self: Box<Self>, error: StoreError);
}

/// A command that gives a `T`.
pub(crate) struct Pending<T, F> {
    pub(crate) command: F,
    pub(crate) bytes: usize,
    pub(crate) frees: bool,
    pub(crate) outcome: Option<StoreResult<T>>,
    pub(crate) reply: oneshot::Sender<StoreResult<T>>,
    /// Its share of what may wait.
    pub(crate) _room: OwnedSemaphorePermit,
}

impl<T: Send, F: FnMut(&mut Write<'_>) -> Attempt<T> + Send> Job for Pending<T, F> {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn frees(&self) -> bool {
        self.frees
    }

    fn run(&mut self, write: &mut Write<'_>) -> rusqlite::Result<()> {
        self.outcome = Some(match (self.command)(write) {
            Ok(value) => Ok(value),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Sqlite(error)) => return Err(error),
        });
        Ok(())
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // Whoever has gone away does not want to know.
            let _ = self.reply.send(outcome);
        }
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.reply.send(Err(error));
    }
}
