//! What the server does by itself: expiry, purges, forgetting old operations.

use super::{Service, store_failure};
use crate::error::Result;
use crate::limits::OPERATION_RETENTION;
use crate::store::Progress;

/// How many rows one step may touch: few enough that appends which wait behind it notice nothing.
const BATCH: usize = 500;

impl Service {
    /// One bounded step of upkeep: frees what is expired, deleted or forgotten. `more` says that another
    /// step is worth taking at once.
    pub async fn upkeep(&self) -> Result<Progress> {
        let now = self.clock.now();
        let steps = [
            self.store.expire_sessions(now, BATCH).await.map_err(store_failure)?,
            self.store.purge(now, BATCH).await.map_err(store_failure)?,
            self.store
                .sweep_operations(now.before(OPERATION_RETENTION), BATCH)
                .await
                .map_err(store_failure)?,
        ];
        Ok(Progress {
            rows: steps.iter().map(|step| step.rows).sum(),
            more: steps.iter().any(|step| step.more),
        })
    }
}
