//! What the server does by itself: expiry, purges, forgetting old operations and requests.

mod watch;

use super::{Service, store_failure};
use crate::error;
use crate::limits::{OPERATION_RETENTION, REQUEST_RETENTION};
use crate::store::Progress;

pub(super) use watch::Watch;

/// How many rows one step may touch: few enough that appends which wait behind it notice nothing.
const BATCH: usize = 500;

impl Service {
    /// One bounded step of upkeep: frees what is expired, deleted or forgotten. `more` says that another
    /// step is worth taking at once. Nodes that share a store leave it to one of them.
    pub async fn upkeep(&self) -> error::Result<Progress> {
        if !self.store.lease_upkeep().await.map_err(store_failure)? {
            return Ok(Progress::default());
        }
        // What is deleted is freed by its own mark; what ends by the clock, only as far as the clock is believed.
        let now = self.clock.now();
        let seen = self.look_at_the_clock(now).await.map_err(store_failure)?;
        let due = seen.horizon.believed.min(now);
        // Each is tried, whatever became of the others.
        let steps = [
            seen.kept.map(|()| Progress::default()),
            self.store.expire_sessions(due, BATCH).await,
            self.store.purge(now, BATCH).await,
            self.store.sweep_operations(due.before(OPERATION_RETENTION), BATCH).await,
            self.store.sweep_requests(due.before(REQUEST_RETENTION), BATCH).await,
        ];
        let steps = steps.into_iter().collect::<Result<Vec<_>, _>>().map_err(store_failure)?;
        Ok(Progress {
            rows: steps.iter().map(|step| step.rows).sum(),
            more: steps.iter().any(|step| step.more),
        })
    }
}
