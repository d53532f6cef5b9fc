//! Rows into the tables, with the keys and times that they have: a statement a batch, and one more where a row is in
//! two tables.

use colloquy_sessions::state::Scope;
use colloquy_sessions::store::StoreResult;
use colloquy_sessions::transfer::{
    EngineRecord, EventRecord, OperationRecord, Owner, Position, RequestRecord, Rows, SessionRecord,
    StateRecord, UserRecord,
};

use super::mark;
use crate::database::{Command, Parameter, execute};
use crate::error::Attempt;
use crate::key;
use crate::row;
use crate::transaction::Transaction;

/// See `Transfer::write`; false where the copy has been taken over by another.
pub(super) struct Put<'a> {
    pub(super) rows: &'a Rows,
    pub(super) from: &'a Position,
    pub(super) to: &'a Position,
}

impl Command for Put<'_> {
    type Output = bool;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<bool> {
        // First: it also keeps any other copy waiting.
        if !mark::advance(transaction, self.from, self.to).await? {
            return Ok(false);
        }
        match self.rows {
            Rows::Engines(rows) => engines(transaction, rows).await?,
            Rows::Users(rows) => users(transaction, rows).await?,
            Rows::Sessions(rows) => sessions(transaction, rows).await?,
            Rows::AppState(rows) => states(transaction, Scope::App, rows).await?,
            Rows::UserState(rows) => states(transaction, Scope::User, rows).await?,
            Rows::SessionState(rows) => states(transaction, Scope::Session, rows).await?,
            Rows::Events(rows) => events(transaction, rows).await?,
            Rows::Operations(rows) => operations(transaction, rows).await?,
            Rows::Requests(rows) => requests(transaction, rows).await?,
        }
        Ok(true)
    }
}

/// One column of rows.
fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// One column of rows whose values may not fit.
fn checked<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> StoreResult<T>) -> StoreResult<Vec<T>> {
    rows.iter().map(value).collect()
}

async fn engines(transaction: &Transaction<'_>, rows: &[EngineRecord]) -> Attempt<()> {
    let keys = column(rows, |row| row.key);
    let parameters: [Parameter<'_>; 12] = [
        &keys,
        &column(rows, |row| row.engine.name.location.project.as_bytes()),
        &column(rows, |row| row.engine.name.location.location.as_bytes()),
        &column(rows, |row| row.engine.name.engine.as_bytes()),
        &column(rows, |row| row.engine.content.display_name.as_bytes()),
        &column(rows, |row| row.engine.content.description.as_bytes()),
        &checked(rows, |row| row::labels_column(&row.engine.content.labels))?,
        &column(rows, |row| &*row.engine.content.settings),
        &column(rows, |row| row.engine.revision),
        &column(rows, |row| row.engine.create_time.0),
        &column(rows, |row| row.engine.update_time.0),
        &checked(rows, |row| row.deleted_by.map(row::id_column).transpose())?,
    ];
    execute(transaction, sql!("transfer/put/engines"), &parameters).await?;
    let state_bytes = column(rows, |row| row.state_bytes);
    execute(transaction, sql!("transfer/put/apps"), &[&keys, &state_bytes]).await.map(drop)
}

async fn users(transaction: &Transaction<'_>, rows: &[UserRecord]) -> Attempt<()> {
    let parameters: [Parameter<'_>; 4] = [
        &column(rows, |row| row.engine),
        &column(rows, |row| row.key),
        &column(rows, |row| row.user_id.as_bytes()),
        &column(rows, |row| row.state_bytes),
    ];
    execute(transaction, sql!("transfer/put/users"), &parameters).await.map(drop)
}

async fn sessions(transaction: &Transaction<'_>, rows: &[SessionRecord]) -> Attempt<()> {
    let (engines, keys) = (column(rows, |row| row.engine), column(rows, |row| row.key));
    let (users, ids) = (column(rows, |row| row.user), column(rows, |row| row.session_id.as_bytes()));
    let parameters: [Parameter<'_>; 8] = [
        &engines,
        &keys,
        &users,
        &ids,
        &column(rows, |row| row.display_name.as_bytes()),
        &checked(rows, |row| row::labels_column(&row.labels))?,
        &column(rows, |row| row.create_time.0),
        &column(rows, |row| row.expire_time.0),
    ];
    execute(transaction, sql!("transfer/put/sessions"), &parameters).await?;
    let parameters: [Parameter<'_>; 7] = [
        &engines,
        &keys,
        &users,
        &ids,
        &column(rows, |row| row.update_time.0),
        &checked(rows, |row| row::id_column(row.last_sequence))?,
        &column(rows, |row| row.state_bytes),
    ];
    execute(transaction, sql!("transfer/put/clocks"), &parameters).await.map(drop)
}

async fn states(transaction: &Transaction<'_>, scope: Scope, rows: &[StateRecord]) -> Attempt<()> {
    let engines = column(rows, |row| row.engine);
    let owners = column(rows, |row| row.owner);
    let hashes = column(rows, |row| key::hash(&row.key));
    let hashes = column(&hashes, |hash| hash.as_slice());
    let keys = column(rows, |row| row.key.as_bytes());
    let values = column(rows, |row| &*row.value);
    let (sql, parameters): (_, Vec<Parameter<'_>>) = match scope {
        Scope::App => (sql!("state/app_put"), vec![&engines, &hashes, &keys, &values]),
        Scope::User => (sql!("state/user_put"), vec![&engines, &owners, &hashes, &keys, &values]),
        Scope::Session => (sql!("state/session_put"), vec![&engines, &owners, &hashes, &keys, &values]),
    };
    execute(transaction, sql, &parameters).await.map(drop)
}

async fn events(transaction: &Transaction<'_>, rows: &[EventRecord]) -> Attempt<()> {
    let parameters: [Parameter<'_>; 8] = [
        &column(rows, |row| row.engine),
        &column(rows, |row| row.session),
        &column(rows, |row| row.event.timestamp.0),
        &checked(rows, |row| row::id_column(row.event.sequence))?,
        &checked(rows, |row| row::id_column(row.event.id))?,
        &column(rows, |row| row.author.as_bytes()),
        &column(rows, |row| row.invocation_id.as_bytes()),
        &column(rows, |row| &*row.event.payload),
    ];
    execute(transaction, sql!("events/insert"), &parameters).await.map(drop)
}

async fn operations(transaction: &Transaction<'_>, rows: &[OperationRecord]) -> Attempt<()> {
    let engine = |row: &OperationRecord| match row.owner {
        Owner::Location => None,
        Owner::Engine(engine) | Owner::Session { engine, .. } => Some(engine),
    };
    let session = |row: &OperationRecord| match row.owner {
        Owner::Location | Owner::Engine(_) => None,
        Owner::Session { session, .. } => Some(session),
    };
    let parameters: [Parameter<'_>; 10] = [
        &checked(rows, |row| row::id_column(row.id))?,
        &column(rows, |row| row.location.project.as_bytes()),
        &column(rows, |row| row.location.location.as_bytes()),
        &column(rows, engine),
        &column(rows, session),
        &checked(rows, |row| row::kind_column(row.kind))?,
        &checked(rows, |row| row::version_column(row.version))?,
        &column(rows, |row| row.done),
        &column(rows, |row| row.create_time.0),
        &column(rows, |row| row.update_time.0),
    ];
    execute(transaction, sql!("transfer/put/operations"), &parameters).await.map(drop)
}

async fn requests(transaction: &Transaction<'_>, rows: &[RequestRecord]) -> Attempt<()> {
    let parameters: [Parameter<'_>; 6] = [
        &column(rows, |row| row.engine),
        &column(rows, |row| row.session),
        &column(rows, |row| row.id.as_bytes()),
        &column(rows, |row| &*row.fingerprint),
        &column(rows, |row| &*row.answer),
        &column(rows, |row| row.time.0),
    ];
    execute(transaction, sql!("transfer/put/requests"), &parameters).await.map(drop)
}
