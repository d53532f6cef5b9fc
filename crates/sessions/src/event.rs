//! Events: what happened in a session, in order, never changed.

use bytes::Bytes;

use crate::error::Violations;
use crate::limits::{EVENT_CLOCK_LEAD, EVENT_NAME_CHARS};
use crate::state::StateDelta;
use crate::time::Timestamp;

/// An event to be appended: the few fields that rules need, and all of it as bytes.
#[derive(Clone, Debug)]
pub struct EventDraft {
    /// Who speaks; required.
    pub author: String,
    /// The invocation that it belongs to; required.
    pub invocation_id: String,
    /// When it happened, by the caller's clock; required.
    pub timestamp: Option<Timestamp>,
    /// What it changes.
    pub delta: StateDelta,
    /// The whole event as wire bytes, without its name. Stored and given back as they are.
    pub payload: Bytes,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The id in its name.
    pub id: u64,
    /// Its place in the session: 1 for the first to arrive, no gaps, never reused.
    pub sequence: u64,
    /// When it happened, by the caller's clock: what lists are sorted by.
    pub timestamp: Timestamp,
    /// The whole event as wire bytes, without its name.
    pub payload: Bytes,
}

impl EventDraft {
    /// Checks the required fields; all that are missing are named (contract section 3.2), as members of `event`.
    pub(crate) fn check(&self, event: &str, violations: &mut Violations) {
        let [author, invocation_id, timestamp] =
            ["author", "invocation_id", "timestamp"].map(|field| format!("{event}.{field}"));
        violations.require(&author, !self.author.is_empty());
        violations.require(&invocation_id, !self.invocation_id.is_empty());
        violations.require(&timestamp, self.timestamp.is_some());
        violations.limit_chars(&author, &self.author, EVENT_NAME_CHARS);
        violations.limit_chars(&invocation_id, &self.invocation_id, EVENT_NAME_CHARS);
        violations.refuse_nul(&author, &self.author);
        violations.refuse_nul(&invocation_id, &self.invocation_id);
    }
}

/// The update time that an append asks for: the server's clock, or the event's own time where that
/// is a little ahead, because clients drop events that are later than their session's update time.
pub fn update_time(now: Timestamp, event: Timestamp) -> Timestamp {
    if event > now && event <= now.after(EVENT_CLOCK_LEAD) { event } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_a_little_ahead_moves_the_update_time() {
        let now = Timestamp(1_000_000_000);
        assert_eq!(update_time(now, Timestamp(5)), now);
        assert_eq!(update_time(now, Timestamp(1_000_000_001)), Timestamp(1_000_000_001));
        assert_eq!(update_time(now, now.after(EVENT_CLOCK_LEAD)), now.after(EVENT_CLOCK_LEAD));
        assert_eq!(update_time(now, Timestamp(now.after(EVENT_CLOCK_LEAD).0 + 1)), now);
        assert_eq!(update_time(now, Timestamp::MAX), now);
    }
}
