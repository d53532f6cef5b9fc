//! What the server does by itself: expiry, purges, forgetting old operations.

use super::{Service, store_failure};
use crate::error;
use crate::limits::{OPERATION_RETENTION, REQUEST_RETENTION};
use crate::store::Progress;

/// How many rows one step may touch: few enough that appends which wait behind it notice nothing.
const BATCH: usize = 500;

impl Service {
    /// One bounded step of upkeep: frees what is expired, deleted or forgotten. `more` says that another
    /// step is worth taking at once. Nodes that share a store leave it to one of them.
    pub async fn upkeep(&self) -> error::Result<Progress> {
        if !self.store.lease_upkeep().await.map_err(store_failure)? {
            return Ok(Progress::default());
        }
        let now = self.clock.now();
        // Each is tried, whatever became of the others.
        let steps = [
            self.store.expire_sessions(now, BATCH).await,
            self.store.purge(now, BATCH).await,
            self.store.sweep_operations(now.before(OPERATION_RETENTION), BATCH).await,
            self.store.sweep_requests(now.before(REQUEST_RETENTION), BATCH).await,
        ];
        let steps = steps.into_iter().collect::<Result<Vec<_>, _>>().map_err(store_failure)?;
        Ok(Progress {
            rows: steps.iter().map(|step| step.rows).sum(),
            more: steps.iter().any(|step| step.more),
        })
    }
}
