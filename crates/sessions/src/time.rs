//! Instants as the domain counts them, and the clock that is handed in.

use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z; negative before it. Events sort by this; what a caller
/// wrote to the nanosecond stays in the event's payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Later than every instant that a caller can write.
    pub const MAX: Self = Self(i64::MAX);
    /// The last microsecond of the year 9999: protobuf has no later instant, so no answer can hold one.
    pub const LAST: Self = Self::from_parts(253_402_300_799, 999_999_000);

    /// From seconds and nanoseconds as protobuf counts them; rounds down to the microsecond.
    pub const fn from_parts(seconds: i64, nanos: i32) -> Self {
        Self(seconds.saturating_mul(1_000_000).saturating_add((nanos / 1_000) as i64))
    }

    /// Seconds and nanoseconds as protobuf counts them.
    pub const fn parts(self) -> (i64, i32) {
        (self.0.div_euclid(1_000_000), (self.0.rem_euclid(1_000_000) * 1_000) as i32)
    }

    /// The instant `duration` later; stops at the end of the scale.
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// The instant `duration` earlier; stops at the end of the scale.
    pub fn before(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

/// Tells the time. Handed in, so that tests can move it.
pub trait Clock: Send + Sync + 'static {
    /// The time now. May jump either way: nothing durable relies on it going forward.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some moment, by a clock that nobody sets.
    fn steady(&self) -> Duration;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_both_ways_before_and_after_the_epoch() {
        for (timestamp, parts) in [
            (Timestamp(0), (0, 0)),
            (Timestamp(1_500_000), (1, 500_000_000)),
            (Timestamp(-1), (-1, 999_999_000)),
            (Timestamp(-62_135_596_800_000_000), (-62_135_596_800, 0)),
        ] {
            assert_eq!(timestamp.parts(), parts);
            assert_eq!(Timestamp::from_parts(parts.0, parts.1), timestamp);
        }
        assert_eq!(Timestamp::from_parts(0, 1_999), Timestamp(1));
        assert_eq!(Timestamp::MAX.after(Duration::from_secs(1)), Timestamp::MAX);
    }
}
