//! Sessions: a user, a state, a lifetime.

use std::time::Duration;

use resource_names::SessionName;

use crate::error::Violations;
use crate::labels::Labels;
use crate::limits::{DEFAULT_TTL, MIN_TTL};
use crate::state::State;
use crate::time::Timestamp;

/// A session as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name; sessions of the store carry the stored project, answers the project that was asked.
    pub name: SessionName,
    /// Whose session it is; never changes.
    pub user_id: String,
    /// For people.
    pub display_name: String,
    /// Key-value pairs.
    pub labels: Labels,
    /// When it was created.
    pub create_time: Timestamp,
    /// Moves forward with every append and every update (contract section 4.2).
    pub update_time: Timestamp,
    /// From here on the session is gone.
    pub expire_time: Timestamp,
    /// The state of the session joined with those of its user and its app.
    pub state: State,
}

/// How a caller says when a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiration {
    /// So long from now.
    Ttl {
        /// Whole seconds; may be negative on the wire, which is refused.
        seconds: i64,
        /// The rest of a second.
        nanos: i32,
    },
    /// At this instant.
    At(Timestamp),
}

impl Expiration {
    /// The instant that is meant, if it keeps the rule of at least 24 hours (contract section 4.2) and can
    /// be written at all.
    pub fn resolve(self, now: Timestamp, violations: &mut Violations) -> Timestamp {
        match self {
            Self::Ttl { seconds, nanos } => {
                let shortest = i64::try_from(MIN_TTL.as_secs()).unwrap_or(i64::MAX);
                if seconds < shortest {
                    violations.add("session.ttl", "The ttl must be at least 24 hours (86400s).");
                    return now;
                }
                let ttl = Duration::new(seconds.unsigned_abs(), nanos.max(0).unsigned_abs());
                let end = now.after(ttl);
                if end > Timestamp::LAST {
                    violations.add("session.ttl", "The session must end before the year 10000.");
                }
                end
            }
            Self::At(instant) => {
                if instant < now.after(MIN_TTL) {
                    violations.add(
                        "session.expire_time",
                        "The expire time must be at least 24 hours in the future.",
                    );
                }
                // Whoever writes the last nanosecond has it rounded up past the end.
                instant.min(Timestamp::LAST)
            }
        }
    }

    /// When a session ends that says nothing about it.
    pub fn default_from(now: Timestamp) -> Timestamp {
        now.after(DEFAULT_TTL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(expiration: Expiration) -> Option<i64> {
        let mut violations = Violations::default();
        let instant = expiration.resolve(Timestamp(1_000_000), &mut violations);
        violations.finish().ok().map(|()| instant.0)
    }

    #[test]
    fn a_day_is_the_least() {
        assert_eq!(resolve(Expiration::Ttl { seconds: 86_400, nanos: 0 }), Some(86_401_000_000));
        assert_eq!(resolve(Expiration::Ttl { seconds: 86_400, nanos: 1_000 }), Some(86_401_000_001));
        assert_eq!(resolve(Expiration::Ttl { seconds: 86_399, nanos: 999_999_999 }), None);
        assert_eq!(resolve(Expiration::Ttl { seconds: -1, nanos: 0 }), None);
        assert_eq!(resolve(Expiration::At(Timestamp(86_401_000_000))), Some(86_401_000_000));
        assert_eq!(resolve(Expiration::At(Timestamp(86_400_999_999))), None);
    }

    #[test]
    fn nothing_ends_after_the_year_9999() {
        let last = Timestamp::LAST.0;
        assert_eq!(resolve(Expiration::At(Timestamp(last + 1))), Some(last));
        assert_eq!(
            resolve(Expiration::Ttl { seconds: last / 1_000_000 - 1, nanos: 0 }),
            Some(last / 1_000_000 * 1_000_000)
        );
        assert_eq!(resolve(Expiration::Ttl { seconds: last / 1_000_000, nanos: 0 }), None);
        assert_eq!(resolve(Expiration::Ttl { seconds: i64::MAX, nanos: 0 }), None);
    }
}
