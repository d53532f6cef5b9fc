//! Sessions: update, delete.

use colloquy_sessions::operation::Operation;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{SessionDeletion, SessionUpdate, StoreError};
use colloquy_sessions::time::Timestamp;
use resource_names::SessionName;

use super::engines::later;
use super::operations::{self, Home};
use super::requests;
use crate::database::{Command, Parameter, execute, first};
use crate::error::{Attempt, Failure};
use crate::pipeline::Steps;
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
        let locked = match lock(transaction, &self.name, self.now).await {
            // A session that is gone may be so by this request.
            Err(Failure::Refused(refusal)) => Err(refusal),
            done => Ok(done?),
        };
        // Looked for behind the lock: whoever held it may have carried out the same request.
        let engine_key =
            read::engines::find(transaction, &self.name.engine).await?.ok_or(StoreError::SessionNotFound)?;
        let request = self.request.as_ref();
        let mut steps = Steps::default();
        let asked = requests::Asked::add(&mut steps, [(engine_key, requests::OF_ENGINE, request)]);
        let mut requests = asked.read(&steps.run(transaction).await?)?;
        requests.check(engine_key, requests::OF_ENGINE, request)?;
        let (engine_key, session_key, _) = locked?;
        mark_deleted(transaction, engine_key, session_key).await?;
        requests.take(engine_key, requests::OF_ENGINE, request);
        let mut steps = Steps::default();
        requests.write(&mut steps);
        steps.run(transaction).await?;
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
