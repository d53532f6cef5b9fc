//! A transaction, and statements within it, as [`Protocol`] has them sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row};

use crate::database::Parameter;
use crate::error::Attempt;
use crate::protocol::Protocol;

/// A transaction that has begun; rolled back unless it is committed.
pub(crate) struct Transaction<'c> {
    begun: deadpool_postgres::Transaction<'c>,
    protocol: &'c Protocol,
    has_written: AtomicBool,
}

impl<'c> Transaction<'c> {
    pub(crate) fn new(begun: deadpool_postgres::Transaction<'c>, protocol: &'c Protocol) -> Self {
        Self { begun, protocol, has_written: AtomicBool::new(false) }
    }

    /// Does `work` with the settings of this store: where they do not come with the connection, they go ahead of the
    /// first statement, in the same packet.
    pub(crate) async fn with_settings<T>(&self, work: impl Future<Output = Attempt<T>>) -> Attempt<T> {
        let Some(settings) = self.protocol.transaction_settings() else { return work.await };
        let set = async { Ok(self.begun.batch_execute(&settings).await?) };
        // The first one is begun first.
        let ((), done) = tokio::try_join!(biased; set, work)?;
        Ok(done)
    }

    /// Runs a statement for its rows.
    pub(crate) async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<Vec<Row>> {
        if self.protocol.is_pooled() {
            let types = self.types(sql).await?;
            let typed: Vec<_> = parameters.iter().copied().zip(types.iter().cloned()).collect();
            return after_its_cause(self.begun.query_typed(sql, &typed).await).await;
        }
        let statement = after_its_cause(self.begun.prepare_cached(sql).await).await?;
        after_its_cause(self.begun.query(&statement, parameters).await).await
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<u64> {
        let rows = if self.protocol.is_pooled() {
            let types = self.types(sql).await?;
            let typed: Vec<_> = parameters.iter().copied().zip(types.iter().cloned()).collect();
            after_its_cause(self.begun.execute_typed(sql, &typed).await).await?
        } else {
            let statement = after_its_cause(self.begun.prepare_cached(sql).await).await?;
            after_its_cause(self.begun.execute(&statement, parameters).await).await?
        };
        if rows > 0 {
            self.has_written.store(true, Ordering::Relaxed);
        }
        Ok(rows)
    }

    /// Whether a statement has changed a row.
    pub(crate) fn has_written(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    /// Runs statements without parameters, for what they do.
    pub(crate) async fn run(&self, sql: &str) -> Attempt<()> {
        Ok(self.begun.batch_execute(sql).await?)
    }

    pub(crate) async fn commit(self) -> Attempt<()> {
        Ok(self.begun.commit().await?)
    }

    /// The types of a statement's parameters. The database is asked once, by a statement that has a name only until
    /// this transaction has its answer.
    async fn types(&self, sql: &str) -> Attempt<Arc<[Type]>> {
        if let Some(types) = self.protocol.types(sql) {
            return Ok(types);
        }
        let statement = after_its_cause(self.begun.prepare(sql).await).await?;
        Ok(self.protocol.learn(sql, statement.params()))
    }
}

/// Of statements that are sent together, those after one that failed fail of it. What that one was told is here
/// already: whoever waits for all of them at once is to hear of it first, because it alone says why.
async fn after_its_cause<T>(done: Result<T, Error>) -> Attempt<T> {
    if done.as_ref().is_err_and(|error| error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)) {
        // The others are looked at once after the first time, if they were not between the two answers.
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
    }
    Ok(done?)
}
