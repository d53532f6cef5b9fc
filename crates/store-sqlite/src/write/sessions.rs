//! Sessions: create, update, delete.

use colloquy_sessions::operation::Operation;
use colloquy_sessions::session::Session;
use colloquy_sessions::state::Scope;
use colloquy_sessions::store::{NewSession, SessionDeletion, SessionUpdate, StoreError};
use colloquy_sessions::time::Timestamp;
use resource_names::SessionName;
use rusqlite::{Connection, OptionalExtension, params};

use super::engines::later;
use super::operations::Home;
use super::requests::Asked;
use super::state::{Owners, Sizes};
use super::{Write, operations, requests, state};
use crate::error::Attempt;
use crate::read;
use crate::row;

/// What a change of a session must know of it.
pub(super) struct Clock {
    pub(super) session_key: i64,
    pub(super) user_key: i64,
    expire_time: i64,
    pub(super) update_time: Timestamp,
    pub(super) last_sequence: i64,
    pub(super) state: Sizes,
}

/// A live session's clock, or the refusal.
pub(super) fn live(write: &mut Write<'_>, name: &SessionName, now: Timestamp) -> Attempt<(i64, Clock)> {
    let engine_key = write.find_engine(&name.engine)?.ok_or(StoreError::SessionNotFound)?;
    let clock = find(write.connection, engine_key, &name.session)?
        .filter(|clock| now.0 < clock.expire_time)
        .ok_or(StoreError::SessionNotFound)?;
    Ok((engine_key, clock))
}

fn find(connection: &Connection, engine_key: i64, session_id: &str) -> rusqlite::Result<Option<Clock>> {
    connection
        .prepare_cached(sql!("sessions/find_clock"))?
        .query_row((engine_key, session_id), |row| {
            Ok(Clock {
                session_key: row.get(0)?,
                user_key: row.get(1)?,
                expire_time: row.get(2)?,
                update_time: Timestamp(row.get(3)?),
                last_sequence: row.get(4)?,
                state: Sizes { app: row.get(5)?, user: row.get(6)?, session: row.get(7)? },
            })
        })
        .optional()
}

/// See `Store::create_session`.
pub(crate) fn create(write: &mut Write<'_>, new: &NewSession) -> Attempt<Session> {
    let engine_key = write.engine(&new.name.engine)?;
    let asked = Asked::of_engine(engine_key);
    requests::check(write, asked, new.request.as_ref())?;
    let namesake = find(write.connection, engine_key, &new.name.session)?;
    if namesake.as_ref().is_some_and(|clock| new.create_time.0 < clock.expire_time) {
        return Err(StoreError::AlreadyExists.into());
    }
    let user = read::sessions::find_user(write.connection, engine_key, &new.user_id)?;
    let before = Sizes {
        app: state::app_bytes(write.connection, engine_key)?,
        user: user.map_or(0, |(_, bytes)| bytes),
        session: 0,
    };
    let owners = Owners { engine_key, user_key: user.map(|(key, _)| key), session_key: None };
    let after = state::grown(write.connection, owners, before, &new.state, new.state_limit)?;
    let labels = row::labels_column(&new.labels)?;
    let operation = operations::columns(&new.operation)?;

    if let Some(expired) = namesake {
        mark_deleted(write, expired.session_key)?;
    }
    let user_key = match user {
        Some((key, _)) => key,
        None => write.insert(sql!("sessions/insert_user"), (engine_key, &new.user_id))?,
    };
    let session_key = write.insert(
        sql!("sessions/insert"),
        params![
            engine_key,
            user_key,
            new.name.session,
            new.display_name,
            labels,
            new.create_time.0,
            new.expire_time.0,
        ],
    )?;
    write.execute(
        sql!("sessions/insert_clock"),
        (session_key, engine_key, user_key, new.create_time.0, after.session),
    )?;
    state::put(write, Scope::Session, session_key, &new.state)?;
    state::put_shared(write, engine_key, user_key, &new.state, before, after)?;
    operations::insert(write, operation, Home::Session(session_key, &new.name.engine), true)?;
    requests::record(write, asked, new.request.as_ref())?;
    read_back(write, engine_key, &new.name)
}

/// See `Store::update_session`.
pub(crate) fn update(write: &mut Write<'_>, update: &SessionUpdate) -> Attempt<Session> {
    let (engine_key, clock) = live(write, &update.name, update.now)?;
    if let Some(user_id) = &update.user_id {
        let user = read::sessions::find_user(write.connection, engine_key, user_id)?;
        if user.is_none_or(|(user_key, _)| user_key != clock.user_key) {
            return Err(StoreError::OtherUser.into());
        }
    }
    let labels = update.labels.as_ref().map(row::labels_column).transpose()?;
    let expire_time = update.expire_time.map(|time| time.0);
    write.execute(
        sql!("sessions/update"),
        params![clock.session_key, update.display_name, labels, expire_time],
    )?;
    let update_time = later(update.now, clock.update_time);
    write.execute(sql!("sessions/touch"), (clock.session_key, update_time.0))?;
    read_back(write, engine_key, &update.name)
}

/// See `Store::delete_session`.
pub(crate) fn delete(write: &mut Write<'_>, deletion: &SessionDeletion) -> Attempt<Operation> {
    let SessionDeletion { name, now, operation, request } = deletion;
    let engine_key = write.find_engine(&name.engine)?.ok_or(StoreError::SessionNotFound)?;
    let asked = Asked::of_engine(engine_key);
    requests::check(write, asked, request.as_ref())?;
    let (_, clock) = live(write, name, *now)?;
    let stored = operations::columns(operation)?;
    let location = &name.engine.location;
    mark_deleted(write, clock.session_key)?;
    operations::insert(write, stored, Home::Location(location), true)?;
    requests::record(write, asked, request.as_ref())?;
    Ok(Operation {
        id: operation.id,
        parent: location.clone().into(),
        kind: operation.kind,
        version: operation.version,
        done: true,
        create_time: operation.time,
        update_time: operation.time,
    })
}

/// Makes a session invisible; the purge does the rest.
pub(super) fn mark_deleted(write: &Write<'_>, session_key: i64) -> rusqlite::Result<()> {
    write.execute(sql!("sessions/mark_deleted"), [session_key])?;
    write.execute(sql!("sessions/delete_clock"), [session_key])?;
    Ok(())
}

/// The session as it is now, whenever it ends.
fn read_back(write: &Write<'_>, engine_key: i64, name: &SessionName) -> Attempt<Session> {
    read::sessions::get(write.connection, engine_key, name, Timestamp(i64::MIN))?
        .ok_or_else(|| StoreError::Internal(format!("{name} was written and is not there")).into())
}
