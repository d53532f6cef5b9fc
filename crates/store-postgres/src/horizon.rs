//! The horizon of upkeep: one row.

use std::time::Duration;

use colloquy_sessions::horizon::{Ahead, Horizon};
use colloquy_sessions::time::Timestamp;

use crate::database::{Command, Parameter, Query, execute, first};
use crate::error::Attempt;
use crate::transaction::Transaction;

/// See `Store::horizon`.
pub(crate) struct Read;

impl Query for Read {
    type Output = Option<Horizon>;

    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Option<Horizon>> {
        let Some(row) = first(snapshot, sql!("upkeep/horizon"), &[]).await? else { return Ok(None) };
        let (since, lasted): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
        let lasted = Duration::from_micros(lasted.unwrap_or(0).unsigned_abs());
        let ahead = since.map(|since| Ahead { since: Timestamp(since), lasted });
        Ok(Some(Horizon { believed: Timestamp(row.try_get(0)?), ahead }))
    }
}

/// See `Store::keep_horizon`.
pub(crate) struct Keep(pub(crate) Horizon);

impl Command for Keep {
    type Output = ();

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<()> {
        let ahead = self.0.ahead;
        let since = ahead.map(|ahead| ahead.since.0);
        let lasted = ahead.map(|ahead| i64::try_from(ahead.lasted.as_micros()).unwrap_or(i64::MAX));
        let parameters: [Parameter<'_>; 3] = [&self.0.believed.0, &since, &lasted];
        execute(transaction, sql!("upkeep/keep_horizon"), &parameters).await.map(drop)
    }
}
