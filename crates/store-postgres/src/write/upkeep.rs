//! Upkeep: expiry, purges, forgetting old operations, each in bounded batches. Any number of nodes may do it: each
//! takes what no other one works on.

use colloquy_sessions::store::Progress;
use colloquy_sessions::time::Timestamp;
use tokio_postgres::Row;

use super::free::{self, Budget};
use super::operations;
use crate::database::{Command, Parameter, execute, first, query};
use crate::error::Attempt;
use crate::row::count;
use crate::transaction::Transaction;

/// See `Store::expire_sessions`.
pub(crate) struct ExpireSessions {
    pub(crate) now: Timestamp,
    pub(crate) limit: usize,
}

impl Command for ExpireSessions {
    type Output = Progress;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Progress> {
        // One more than the limit tells whether there is more.
        let asked = count(self.limit.saturating_add(1));
        let parameters: [Parameter<'_>; 2] = [&self.now.0, &asked];
        let mut due = query(transaction, sql!("upkeep/expired_sessions"), &parameters).await?;
        let more = due.len() > self.limit;
        due.truncate(self.limit);
        if due.is_empty() {
            return Ok(Progress { rows: 0, more });
        }
        let (engines, sessions) = keys(&due)?;
        let locked = query(transaction, sql!("upkeep/lock_clocks"), &[&engines, &sessions]).await?;
        let (engines, sessions) = keys(&locked)?;
        // Their ends may have been moved before they were locked.
        let parameters: [Parameter<'_>; 3] = [&engines, &sessions, &self.now.0];
        let expired = query(transaction, sql!("upkeep/mark_expired"), &parameters).await?;
        let (engines, sessions) = keys(&expired)?;
        execute(transaction, sql!("upkeep/delete_clocks"), &[&engines, &sessions]).await?;
        Ok(Progress { rows: expired.len(), more })
    }
}

/// The keys of engines and sessions.
fn keys(rows: &[Row]) -> Attempt<(Vec<i64>, Vec<i64>)> {
    let column = |column| rows.iter().map(|row| Ok(row.try_get(column)?)).collect::<Attempt<Vec<i64>>>();
    Ok((column(0)?, column(1)?))
}

/// See `Store::purge`.
pub(crate) struct Purge {
    pub(crate) now: Timestamp,
    pub(crate) limit: usize,
}

impl Command for Purge {
    type Output = Progress;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Progress> {
        let mut budget = Budget::new(self.limit);
        let more = !self.within(transaction, &mut budget).await?;
        Ok(Progress { rows: budget.spent(), more })
    }
}

impl Purge {
    /// Whether all is freed that no other node works on.
    async fn within(&self, transaction: &Transaction<'_>, budget: &mut Budget) -> Attempt<bool> {
        while let Some(row) = first(transaction, sql!("upkeep/next_deleted_session"), &[]).await? {
            let (engine_key, session_key) = (row.try_get(0)?, row.try_get(1)?);
            if !free::session(transaction, engine_key, session_key, row.try_get(2)?, budget).await? {
                return Ok(false);
            }
        }
        while let Some(row) = first(transaction, sql!("upkeep/next_deleted_engine"), &[]).await? {
            let (engine_key, operation_id) = (row.try_get(0)?, row.try_get(1)?);
            if !free::engine(transaction, engine_key, budget).await? {
                return Ok(false);
            }
            operations::finish(transaction, operation_id, self.now).await?;
        }
        Ok(true)
    }
}

/// See `Store::sweep_operations`.
pub(crate) struct SweepOperations {
    pub(crate) ended_before: Timestamp,
    pub(crate) limit: usize,
}

impl Command for SweepOperations {
    type Output = Progress;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Progress> {
        let parameters: [Parameter<'_>; 2] = [&self.ended_before.0, &count(self.limit)];
        let rows = execute(transaction, sql!("upkeep/sweep_operations"), &parameters).await?;
        let remain =
            first(transaction, sql!("upkeep/old_operations_remain"), &[&self.ended_before.0]).await?;
        let more = remain.map(|row| row.try_get(0)).transpose()?.unwrap_or(false);
        Ok(Progress { rows, more })
    }
}
