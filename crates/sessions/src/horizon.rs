//! The horizon: up to when the clock is believed where rows are freed for good.
//!
//! A session is invisible as soon as the clock says that it has ended, whatever the clock says: that can be taken back
//! with the clock. Its rows cannot. So they are freed only as far as the clock has come by running on. A clock that is
//! suddenly far ahead, as a broken time server sets it, is first believed when it has stood by that for
//! [`PROBATION`]. Until then the horizon moves on as time passes.

use std::time::Duration;

use crate::time::Timestamp;

/// A clock that is ahead by no more than this is believed, by and by: the horizon catches up at twice the speed of time.
/// It is as much as clocks are put right, and as a server may have been stopped for.
const LEAD: Duration = Duration::from_secs(3_600);
/// For how long a clock that is further ahead must stay so. Long enough for somebody to see that all sessions are gone.
const PROBATION: Duration = Duration::from_secs(24 * 3_600);

/// How far the clock is believed. Kept in the store, since a server that starts cannot tell by itself whether its
/// clock is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// What ended before this may be freed.
    pub believed: Timestamp,
    /// That the clock is too far ahead of it.
    pub ahead: Option<Ahead>,
}

/// A clock that is too far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// What it said when this was first seen.
    pub since: Timestamp,
    /// How much time passed since then, with the clock at or after `since` whenever it was looked at. Time in which no
    /// server ran does not count.
    pub lasted: Duration,
}

impl Horizon {
    /// A new store has nothing to lose: its first clock is believed.
    pub const fn first(now: Timestamp) -> Self {
        Self { believed: now, ahead: None }
    }

    /// The horizon when the clock says `now`, and `elapsed` has passed since the last look by a clock that nobody sets.
    #[must_use]
    pub fn looked_at(self, now: Timestamp, elapsed: Duration) -> Self {
        let passed = self.believed.after(elapsed);
        if now <= passed.after(LEAD) {
            // Also where the clock went back.
            return Self::first(now.min(passed.after(elapsed)));
        }
        let ahead = match self.ahead {
            Some(ahead) if ahead.since <= now => {
                Ahead { lasted: ahead.lasted.saturating_add(elapsed), ..ahead }
            }
            _ => Ahead { since: now, lasted: Duration::ZERO },
        };
        if ahead.lasted < PROBATION {
            return Self { believed: passed, ahead: Some(ahead) };
        }
        // Only what has stood the test: if it jumped again meanwhile, that is another jump.
        Self::first(now.min(ahead.since.after(ahead.lasted)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);
    const YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
    const START: Timestamp = Timestamp(1_800_000_000_000_000);

    /// A clock that can be set, looked at every so often.
    struct World {
        /// What time it is in truth.
        truth: Timestamp,
        horizon: Horizon,
    }

    impl World {
        fn new() -> Self {
            Self { truth: START, horizon: Horizon::first(START) }
        }

        /// Lets time pass, with a clock that is wrong by `ahead`, looked at every `step`.
        fn pass(&mut self, time: Duration, step: Duration, ahead: Duration) {
            let mut passed = Duration::ZERO;
            while passed < time {
                passed += step;
                self.truth = self.truth.after(step);
                self.horizon = self.horizon.looked_at(self.truth.after(ahead), step);
            }
        }

        /// A start after the server was stopped: nobody knows for how long.
        fn restart(&mut self, stopped: Duration, ahead: Duration) {
            self.truth = self.truth.after(stopped);
            self.horizon = self.horizon.looked_at(self.truth.after(ahead), Duration::ZERO);
        }
    }

    #[test]
    fn a_clock_that_runs_is_believed() {
        let mut world = World::new();
        world.pass(48 * HOUR, 2 * SECOND, Duration::ZERO);
        assert_eq!(world.horizon, Horizon::first(world.truth));
        // Seldom looked at is as good.
        world.pass(48 * HOUR, 5 * HOUR, Duration::ZERO);
        assert_eq!(world.horizon, Horizon::first(world.truth));
    }

    #[test]
    fn a_jump_that_is_put_right_has_freed_nothing() {
        let mut world = World::new();
        world.pass(23 * HOUR, 60 * SECOND, YEARS);
        assert_eq!(world.horizon.believed, world.truth);
        world.pass(60 * SECOND, 60 * SECOND, Duration::ZERO);
        assert_eq!(world.horizon, Horizon::first(world.truth));
        // And the next one is a new one.
        world.pass(23 * HOUR, 60 * SECOND, YEARS);
        assert_eq!(world.horizon.believed, world.truth);
    }

    #[test]
    fn a_jump_that_lasts_is_believed() {
        let mut world = World::new();
        world.pass(25 * HOUR, 60 * SECOND, YEARS);
        assert_eq!(world.horizon, Horizon::first(world.truth.after(YEARS)));
    }

    #[test]
    fn a_restart_does_not_make_a_jump_true() {
        let mut world = World::new();
        for _ in 0..20 {
            world.pass(HOUR, 60 * SECOND, YEARS);
            let before = world.horizon;
            world.restart(10 * SECOND, YEARS);
            assert_eq!(world.horizon, before, "nothing has passed that a server saw");
        }
        assert!(world.horizon.believed <= world.truth);
        // What was seen before a restart counts.
        world.pass(5 * HOUR, 60 * SECOND, YEARS);
        assert!(world.horizon.believed > world.truth.after(YEARS - HOUR));
    }

    #[test]
    fn a_second_jump_is_not_covered_by_the_first() {
        let mut world = World::new();
        world.pass(23 * HOUR, 60 * SECOND, YEARS);
        world.pass(2 * HOUR, 60 * SECOND, 2 * YEARS);
        assert!(world.horizon.believed <= world.truth.after(YEARS));
    }

    #[test]
    fn a_clock_that_goes_back_is_followed_at_once() {
        let mut world = World::new();
        world.truth = world.truth.before(HOUR);
        world.pass(SECOND, SECOND, Duration::ZERO);
        assert_eq!(world.horizon, Horizon::first(world.truth));
        // From 1970 to now, as on a machine without a battery, is a jump as any other.
        let mut world = World { truth: Timestamp(0), horizon: Horizon::first(START) };
        world.pass(SECOND, SECOND, Duration::ZERO);
        assert_eq!(world.horizon.believed, world.truth);
        world.truth = START;
        world.pass(HOUR, SECOND, Duration::ZERO);
        assert!(world.horizon.believed < Timestamp(0).after(2 * HOUR));
    }

    #[test]
    fn a_small_lead_and_a_short_stop_are_caught_up_with() {
        let mut world = World::new();
        world.pass(5 * 60 * SECOND, SECOND, 10 * 60 * SECOND);
        assert_eq!(world.horizon.believed, world.truth.after(5 * 60 * SECOND), "half of it");
        world.pass(6 * 60 * SECOND, SECOND, 10 * 60 * SECOND);
        assert_eq!(world.horizon, Horizon::first(world.truth.after(10 * 60 * SECOND)));
        let mut world = World::new();
        world.restart(HOUR, Duration::ZERO);
        world.pass(HOUR + SECOND, SECOND, Duration::ZERO);
        assert_eq!(world.horizon, Horizon::first(world.truth));
    }

    #[test]
    fn a_server_that_runs_by_day_frees_in_the_end() {
        let mut world = World::new();
        for _ in 0..10 {
            world.restart(14 * HOUR, Duration::ZERO);
            world.pass(10 * HOUR, 60 * SECOND, Duration::ZERO);
        }
        let behind = world.truth.0 - world.horizon.believed.0;
        assert!(behind < 5 * 24 * 3_600_000_000, "{} h behind after ten days", behind / 3_600_000_000);
    }

    #[test]
    fn a_clock_that_runs_too_fast_is_not_followed() {
        let mut world = World::new();
        for hours in 0..20 {
            // Ten times as fast.
            world.pass(HOUR, HOUR, 9 * hours * HOUR);
        }
        let ahead = world.horizon.believed.0 - world.truth.0;
        assert!(ahead <= 3_600_000_000, "{} h ahead after 20 h", ahead / 3_600_000_000);
    }

    proptest! {
        /// However a clock jumps about: what is believed is never ahead of the clock, and, as long as no lead lasts a
        /// day, ahead of the truth by no more than the lead that is believed.
        #[test]
        fn no_jump_of_less_than_a_day_is_believed(
            jumps in proptest::collection::vec((1_u64..86_000, 0_i64..400_000_000), 1..8)
        ) {
            let mut world = World::new();
            for (seconds, ahead) in jumps {
                let ahead = Duration::from_secs(ahead.unsigned_abs());
                world.pass(Duration::from_secs(seconds), 60 * SECOND, ahead);
                prop_assert!(world.horizon.believed <= world.truth.after(ahead));
                // The clock is put right for a moment.
                world.pass(SECOND, SECOND, Duration::ZERO);
                prop_assert!(world.horizon.believed <= world.truth);
            }
        }
    }
}
