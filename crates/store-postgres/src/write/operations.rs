//! Operations: insert with the write that they stand for, delete.

use colloquy_sessions::store::{NewOperation, StoreResult};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName};

use crate::database::{Command, Query as _, execute};
use crate::error::Attempt;
use crate::pipeline::{Step, Steps};
use crate::read;
use crate::row;
use crate::transaction::Transaction;

/// What an operation hangs from.
pub(super) enum Home<'a> {
    /// A location.
    Location(&'a LocationName),
    /// An engine.
    Engine(i64, &'a EngineName),
    /// A session, by its engine's key and its own.
    Session(i64, i64, &'a EngineName),
}

/// Stores an operation.
pub(super) async fn insert(
    transaction: &Transaction<'_>,
    operation: &NewOperation,
    home: Home<'_>,
    done: bool,
) -> Attempt<()> {
    let mut steps = Steps::default();
    steps.add(step(operation, &home, done)?);
    steps.run(transaction).await.map(drop)
}

/// Stores an operation, as a step.
pub(super) fn step<'a>(operation: &NewOperation, home: &Home<'a>, done: bool) -> StoreResult<Step<'a>> {
    let (location, engine_key, session_key): (&'a LocationName, _, _) = match *home {
        Home::Location(location) => (location, None, None),
        Home::Engine(key, name) => (&name.location, Some(key), None),
        Home::Session(engine_key, key, engine) => (&engine.location, Some(engine_key), Some(key)),
    };
    Ok(Step::new(sql!("operations/insert"))
        .with(row::id_column(operation.id)?)
        .with(location.project.as_bytes())
        .with(location.location.as_bytes())
        .with(engine_key)
        .with(session_key)
        .with(row::kind_column(operation.kind)?)
        .with(row::version_column(operation.version)?)
        .with(done)
        .with(operation.time.0))
}

/// Ends an operation, if it has not been forgotten.
pub(super) async fn finish(transaction: &Transaction<'_>, id: i64, now: Timestamp) -> Attempt<()> {
    execute(transaction, sql!("operations/finish"), &[&id, &now.0]).await.map(drop)
}

/// See `Store::delete_operation`.
pub(crate) struct Delete<'a> {
    pub(crate) location: &'a LocationName,
    pub(crate) id: u64,
}

impl Command for Delete<'_> {
    type Output = bool;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<bool> {
        // Nobody hands in the time: what hangs from an expired session may be forgotten until that is freed.
        let found = read::operations::Get { location: self.location, id: self.id, now: Timestamp(i64::MIN) };
        if found.run(transaction).await?.is_none() {
            return Ok(false);
        }
        let id = row::id_column(self.id)?;
        Ok(execute(transaction, sql!("operations/delete"), &[&id]).await? > 0)
    }
}
