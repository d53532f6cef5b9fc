//! Requests that may be sent again (AIP-155): the caller names a write, and it is done once.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::limits::{REQUEST_ID_CHARS, REQUEST_RETENTION};
use crate::time::Timestamp;

/// Tells requests under one id apart: a digest of all that is asked.
pub type Fingerprint = [u8; 32];

/// How a caller names a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's id, such as a UUID.
    pub id: String,
    /// What is asked.
    pub fingerprint: Fingerprint,
}

/// A write that its caller may send again, as it is recorded with what it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How the caller names it.
    pub key: RequestKey,
    /// What to tell a retry; of no meaning to a store.
    pub answer: Bytes,
    /// Now.
    pub time: Timestamp,
    /// What was recorded before this is forgotten.
    pub known_since: Timestamp,
}

impl RequestKey {
    /// Refuses an id that is empty, long, or holds what cannot stand in a header.
    ///
    /// # Errors
    /// Names the field `request_id`.
    pub fn check(&self) -> Result<()> {
        let fits = (1..=REQUEST_ID_CHARS).contains(&self.id.len());
        if fits && self.id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        let description =
            format!("Must be 1 to {REQUEST_ID_CHARS} visible ASCII characters, such as a UUID.");
        Err(Error::field("request_id", description))
    }

    /// The record of a write that is made now.
    pub(crate) fn answered(self, answer: Bytes, now: Timestamp) -> Request {
        Request { key: self, answer, time: now, known_since: now.before(REQUEST_RETENTION) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_visible() {
        let check = |id: &str| RequestKey { id: id.to_owned(), fingerprint: [0; 32] }.check();
        for id in ["a", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "!~", &"x".repeat(128)] {
            assert!(check(id).is_ok(), "{id}");
        }
        for id in ["", " ", "a b", "a\n", "\u{e9}", &"x".repeat(129)] {
            assert!(check(id).unwrap_err().message().contains("request_id"), "{id}");
        }
    }
}
