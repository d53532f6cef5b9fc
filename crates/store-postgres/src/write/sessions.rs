//! Sessions: create, update, delete.

use colloquy_sessions::operation::Operation;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{NewSession, SessionDeletion, SessionUpdate, StoreError};
use colloquy_sessions::time::Timestamp;
use resource_names::SessionName;

use super::engines::later;
use super::operations::{self, Home};
use super::sizes::{Owners, Sizes, Totals};
use super::state;
use crate::database::{Command, Parameter, execute, first};
use crate::error::Attempt;
use crate::key;
use crate::read;
use crate::row;
use crate::transaction::Transaction;

/// The keys of a live session and its last update time; nobody else changes it until the transaction ends.
async fn lock(
    transaction: &Transaction<'_>,
    name: &SessionName,
    now: Timestamp,
) -> Attempt<(i64, i64, Timestamp)> {
    let (engine_key, session_key) =
        read::sessions::find_named(transaction, name, now).await?.ok_or(StoreError::SessionNotFound)?;
    let update_time =
        lock_clock(transaction, engine_key, session_key).await?.ok_or(StoreError::SessionNotFound)?;
    // Its end may have been moved while this waited.
    if !expires_after(transaction, engine_key, session_key, now).await? {
        return Err(StoreError::SessionNotFound.into());
    }
    Ok((engine_key, session_key, update_time))
}

/// Locks a session that is not deleted; its update time.
async fn lock_clock(
    transaction: &Transaction<'_>,
    engine_key: i64,
    session_key: i64,
) -> Attempt<Option<Timestamp>> {
    let row = first(transaction, sql!("sessions/lock"), &[&engine_key, &session_key]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.map(Timestamp))
}

async fn expires_after(
    transaction: &Transaction<'_>,
    engine_key: i64,
    session_key: i64,
    now: Timestamp,
) -> Attempt<bool> {
    let row = first(transaction, sql!("sessions/expire_time"), &[&engine_key, &session_key]).await?;
    let expire_time: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(expire_time.is_some_and(|expire_time| expire_time > now.0))
}

impl Command for NewSession {
    type Output = Session;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Session> {
        let engine_key =
            read::engines::share(transaction, &self.name.engine).await?.ok_or(StoreError::EngineNotFound)?;
        self.replace_expired(transaction, engine_key).await?;
        let session_key = key::draw()?;
        if !self.state.app.is_empty() {
            state::lock_apps(transaction, &[engine_key]).await?;
        }
        let parameters: [Parameter<'_>; 3] = [&engine_key, &key::draw()?, &self.user_id.as_bytes()];
        let user = first(transaction, sql!("sessions/take_user"), &parameters).await?;
        let user = user.ok_or_else(|| StoreError::Internal("a user was not made".to_owned()))?;
        let (user_key, user_bytes): (i64, i64) = (user.try_get(0)?, user.try_get(1)?);
        let app_bytes = state::app_bytes(transaction, engine_key).await?;

        let owners = Owners { engine_key, user_key, session_key };
        let mut sizes = Sizes::read(transaction, [(owners, &self.state)]).await?;
        let before = Totals { app: app_bytes, user: user_bytes, session: 0 };
        let after = sizes.grow(owners, before, &self.state, self.state_limit)?;

        let labels = row::labels_column(&self.labels)?;
        // If another one has made the name meanwhile, its index says so, and the next try finds it.
        let parameters: [Parameter<'_>; 8] = [
            &engine_key,
            &session_key,
            &user_key,
            &self.name.session.as_bytes(),
            &self.display_name.as_bytes(),
            &labels,
            &self.create_time.0,
            &self.expire_time.0,
        ];
        execute(transaction, sql!("sessions/insert"), &parameters).await?;
        let parameters: [Parameter<'_>; 6] = [
            &engine_key,
            &session_key,
            &user_key,
            &self.name.session.as_bytes(),
            &self.create_time.0,
            &after.session,
        ];
        execute(transaction, sql!("sessions/insert_clock"), &parameters).await?;
        state::put(transaction, [(owners, &self.state)]).await?;
        if after.app != before.app {
            state::set_app_bytes(transaction, &[(engine_key, after.app)]).await?;
        }
        if after.user != before.user {
            state::set_user_bytes(transaction, &[(engine_key, user_key, after.user)]).await?;
        }
        let home = Home::Session(engine_key, session_key, &self.name.engine);
        operations::insert(transaction, &self.operation, home, true).await?;
        read_back(transaction, engine_key, &self.name).await
    }
}

/// What every session of a name must meet first.
trait ReplaceExpired {
    async fn replace_expired(&self, transaction: &Transaction<'_>, engine_key: i64) -> Attempt<()>;
}

impl ReplaceExpired for NewSession {
    /// Refuses where a live session has the name; gives the name free where an expired one has it.
    async fn replace_expired(&self, transaction: &Transaction<'_>, engine_key: i64) -> Attempt<()> {
        let parameters: [Parameter<'_>; 2] = [&engine_key, &self.name.session.as_bytes()];
        let Some(row) = first(transaction, sql!("sessions/find"), &parameters).await? else {
            return Ok(());
        };
        let (session_key, expire_time): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if self.create_time.0 < expire_time {
            return Err(StoreError::AlreadyExists.into());
        }
        if lock_clock(transaction, engine_key, session_key).await?.is_none() {
            // Somebody else has just deleted it.
            return Ok(());
        }
        if expires_after(transaction, engine_key, session_key, self.create_time).await? {
            return Err(StoreError::AlreadyExists.into());
        }
        mark_deleted(transaction, engine_key, session_key).await
    }
}

impl Command for SessionUpdate {
    type Output = Session;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Session> {
        let (engine_key, session_key, last) = lock(transaction, &self.name, self.now).await?;
        if let Some(user_id) = &self.user_id {
            let parameters: [Parameter<'_>; 3] = [&engine_key, &session_key, &user_id.as_bytes()];
            let row = first(transaction, sql!("sessions/is_of_user"), &parameters).await?;
            if !row.map(|row| row.try_get(0)).transpose()?.unwrap_or(false) {
                return Err(StoreError::OtherUser.into());
            }
        }
        let display_name = self.display_name.as_ref().map(String::as_bytes);
        let labels = self.labels.as_ref().map(row::labels_column).transpose()?;
        let expire_time = self.expire_time.map(|time| time.0);
        let parameters: [Parameter<'_>; 5] =
            [&engine_key, &session_key, &display_name, &labels, &expire_time];
        execute(transaction, sql!("sessions/update"), &parameters).await?;
        let update_time = later(self.now, last);
        let parameters: [Parameter<'_>; 3] = [&engine_key, &session_key, &update_time.0];
        execute(transaction, sql!("sessions/touch"), &parameters).await?;
        read_back(transaction, engine_key, &self.name).await
    }
}

impl Command for SessionDeletion {
    type Output = Operation;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Operation> {
        let (engine_key, session_key, _) = lock(transaction, &self.name, self.now).await?;
        mark_deleted(transaction, engine_key, session_key).await?;
        let location = &self.name.engine.location;
        operations::insert(transaction, &self.operation, Home::Location(location), true).await?;
        Ok(Operation {
            id: self.operation.id,
            parent: location.clone().into(),
            kind: self.operation.kind,
            version: self.operation.version,
            done: true,
            create_time: self.operation.time,
            update_time: self.operation.time,
        })
    }
}

/// Makes a locked session invisible; the purge does the rest.
async fn mark_deleted(transaction: &Transaction<'_>, engine_key: i64, session_key: i64) -> Attempt<()> {
    execute(transaction, sql!("sessions/mark_deleted"), &[&engine_key, &session_key]).await?;
    execute(transaction, sql!("sessions/delete_clock"), &[&engine_key, &session_key]).await.map(drop)
}

/// The session as it is now, whenever it ends.
async fn read_back(transaction: &Transaction<'_>, engine_key: i64, name: &SessionName) -> Attempt<Session> {
    let session = read::sessions::get(transaction, engine_key, name).await?;
    Ok(session.ok_or(StoreError::SessionNotFound)?)
}
