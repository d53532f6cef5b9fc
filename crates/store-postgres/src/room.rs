//! Whether the database has said that it is full. Only a write can tell, and a node that is said to be unready may get
//! none: so it is held against the database until something was written, or for a short time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use colloquy_sessions::store::StoreError;

use crate::error::Failure;

/// How long it counts.
const COUNTS_FOR: Duration = Duration::from_secs(10);

/// What the database said last.
#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<Option<(Instant, String)>>);

impl Room {
    /// Notes a write that failed, if that was for want of room.
    pub(crate) fn note(&self, failure: &Failure) {
        if let Some(StoreError::OutOfSpace(cause)) = failure.as_store_error() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), cause));
        }
    }

    /// Something was written.
    pub(crate) fn is_there(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What the database said, if it was full a moment ago.
    pub(crate) fn is_wanting(&self) -> Option<String> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.as_ref().filter(|(since, _)| since.elapsed() < COUNTS_FOR).map(|(_, cause)| cause.clone())
    }
}
