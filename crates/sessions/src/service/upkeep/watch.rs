//! Watching the clock from step to step, and keeping what was seen in the store.

use std::sync::PoisonError;
use std::time::Duration;

use super::super::Service;
use crate::horizon::Horizon;
use crate::store::StoreResult;
use crate::time::Timestamp;

/// How often the horizon is kept: a server that is killed loses so much of it, which the next one soon makes up for.
const KEPT_EVERY: Duration = Duration::from_secs(5 * 60);

/// What this server knows of the horizon.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::service) struct Watch(Option<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    horizon: Horizon,
    /// When it was looked at, by the steady clock.
    at: Duration,
    /// What the store was told last, and when.
    kept: Horizon,
    kept_at: Duration,
}

/// A look at the clock.
pub(super) struct Look {
    pub(super) horizon: Horizon,
    /// Whether the store kept it, where it was time to.
    pub(super) kept: StoreResult<()>,
}

impl Service {
    /// Moves the horizon on. It is read from the store at first, and again whenever it is kept: another node may have
    /// done upkeep meanwhile, and then its horizon counts.
    pub(super) async fn look_at_the_clock(&self, now: Timestamp) -> StoreResult<Look> {
        let at = self.clock.steady();
        let watch = *self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, kept) = match watch.0 {
            Some(seen) if at.saturating_sub(seen.kept_at) < KEPT_EVERY => (seen.looked_at(now, at), Ok(())),
            seen => {
                let stored = self.store.horizon().await?;
                let horizon = match (seen, stored) {
                    (Some(seen), Some(stored)) if seen.kept == stored => seen.looked_at(now, at).horizon,
                    // How much time passed since it was kept is not known.
                    (_, Some(stored)) => stored.looked_at(now, Duration::ZERO),
                    (_, None) => Horizon::first(now),
                };
                let kept = self.store.keep_horizon(horizon).await;
                (Seen { horizon, at, kept: horizon, kept_at: at }, kept)
            }
        };
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Watch(Some(seen));
        Ok(Look { horizon: seen.horizon, kept })
    }
}

impl Seen {
    fn looked_at(self, now: Timestamp, at: Duration) -> Self {
        let elapsed = at.saturating_sub(self.at);
        Self { horizon: self.horizon.looked_at(now, elapsed), at, ..self }
    }
}
