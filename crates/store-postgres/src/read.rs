//! Queries. Each is one statement, or runs on one snapshot.

pub(crate) mod engines;
pub(crate) mod events;
pub(crate) mod operations;
pub(crate) mod sessions;
pub(crate) mod state;

use colloquy_sessions::store::StoreError;

use crate::database::{Command, first};
use crate::error::{Attempt, Failure};
use crate::migrate::{MIGRATIONS, supported};
use crate::transaction::Transaction;

/// How many rows the first statement of a list asks for beyond its page where a filter may drop some, and how many
/// any statement asks for at most.
const FILTERED_CHUNK: usize = 100;
const LONGEST_CHUNK: usize = 2_000;
/// The most bytes of payloads that one statement gives back, but for the first row's.
const CHUNK_BYTES: i64 = 8 << 20;

/// How many rows the next statement of a list asks for: one more than the page holds tells whether there are more.
/// With a filter, statements ask for more and more rows, as long as few pass.
fn chunk(limit: usize, filtered: bool, statements: u32) -> usize {
    let first = if filtered { limit.saturating_add(FILTERED_CHUNK) } else { limit.saturating_add(1) };
    first.saturating_mul(1 << statements.min(8)).min(LONGEST_CHUNK)
}

/// Whether the database takes reads and writes, in a transaction that would write, and is one for this server still.
pub(crate) struct Health;

impl Command for Health {
    type Output = ();

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<()> {
        let row = first(transaction, sql!("health"), &[]).await?;
        let Some(row) = row else { return Err(StoreError::Unavailable("no answer".to_owned()).into()) };
        let (read_only, oldest_node): (&str, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        if read_only != "off" {
            return Err(Failure::ReadOnly);
        }
        let known = supported(MIGRATIONS);
        match oldest_node {
            Some(oldest) if oldest > known => Err(StoreError::Unavailable(format!(
                "a newer server has changed the schema: it takes servers that know version {oldest}, this one knows {known}"
            ))
            .into()),
            _ => Ok(()),
        }
    }
}
