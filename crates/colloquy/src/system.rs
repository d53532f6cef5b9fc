//! The machine's clock and randomness, for the domain that has none of its own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use colloquy_sessions::{Clock, IdSource, Timestamp};

/// The machine's clocks: the one on the wall, and one that only runs.
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            // A clock before 1970 is wrong, but no reason to stop.
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        Timestamp(micros)
    }

    fn steady(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The operating system's randomness.
pub(crate) struct SystemRandom;

impl IdSource for SystemRandom {
    #[expect(clippy::expect_used, reason = "without randomness ids would collide: better to stop")]
    fn random(&self) -> u64 {
        getrandom::u64().expect("the operating system gives random numbers")
    }
}
