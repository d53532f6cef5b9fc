//! How large things may get. Each bound has its own error.

use std::time::Duration;

/// The bounds in force on one server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The stored form of one event, in bytes.
    pub event_bytes: usize,
    /// A session's merged state (its own, its user's and its app's keys and values), in bytes.
    pub state_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 4 << 20, state_bytes: 1 << 20 }
    }
}

/// The longest user id, in characters (contract section 4.4).
pub const USER_ID_CHARS: usize = 128;
/// The longest display name, in characters.
pub const DISPLAY_NAME_CHARS: usize = 128;
/// The longest engine description, in characters.
pub const DESCRIPTION_CHARS: usize = 2048;
/// The longest author or invocation id of an event, in characters.
pub const EVENT_NAME_CHARS: usize = 512;
/// The default, and the shortest, time to live of a session (contract section 4.2).
pub const DEFAULT_TTL: Duration = Duration::from_secs(365 * 86_400);
/// See [`DEFAULT_TTL`].
pub const MIN_TTL: Duration = Duration::from_secs(86_400);
/// How far an event's timestamp may be ahead of the server's clock and still move the session's
/// update time to it, so that clients which drop events later than the update time lose none.
pub const EVENT_CLOCK_LEAD: Duration = Duration::from_secs(5 * 60);
/// How long operations are kept after they end.
pub const OPERATION_RETENTION: Duration = Duration::from_secs(86_400);
/// How long a request id is remembered (AIP-155).
pub const REQUEST_RETENTION: Duration = Duration::from_secs(86_400);
/// The longest request id, in characters.
pub const REQUEST_ID_CHARS: usize = 128;
/// The most events that are appended at once.
pub const BATCH_EVENTS: usize = 1_000;
/// About how many bytes of what is kept one page holds; a single larger item still fits.
pub const PAGE_BYTES: usize = 8 << 20;
/// Page size where none is asked, and the largest that is given (contract section 5).
pub const PAGE_SIZE: usize = 100;
