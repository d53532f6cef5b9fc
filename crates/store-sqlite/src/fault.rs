//! What makes the store refuse writes until it is opened anew.

use std::sync::{Arc, OnceLock};

use colloquy_sessions::store::StoreError;

/// Set once, by whoever finds that the disk can no longer be trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<OnceLock<String>>);

impl Fault {
    /// Writes are refused from here on; the refusal.
    pub(crate) fn set(&self, during: &str, error: &dyn std::fmt::Display) -> StoreError {
        let text = format!("the database could not be written ({during}: {error}); restart the server");
        tracing::error!(%error, during, "the disk failed; writes are refused until the server is restarted");
        // The first reason is the one that matters.
        StoreError::Unavailable(self.0.get_or_init(|| text).clone())
    }

    /// The refusal, if there is one.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.0.get() {
            Some(text) => Err(StoreError::Unavailable(text.clone())),
            None => Ok(()),
        }
    }
}
