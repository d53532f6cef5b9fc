//! Engines: create, update, delete.

use colloquy_sessions::engine::Engine;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::store::{EngineDeletion, EngineUpdate, NewEngine, StoreError};
use colloquy_sessions::time::Timestamp;
use rusqlite::params;

use super::free::Budget;
use super::operations::Home;
use super::{Write, free, operations};
use crate::error::Attempt;
use crate::read;
use crate::row;

/// An engine with no more rows than this is purged with its deletion.
const SMALL_ENGINE_ROWS: usize = 100;

/// See `Store::create_engine`.
pub(crate) fn create(write: &mut Write<'_>, new: &NewEngine) -> Attempt<Engine> {
    if write.find_engine(&new.name)?.is_some() {
        return Err(StoreError::AlreadyExists.into());
    }
    let labels = row::labels_column(&new.content.labels)?;
    let stored = new.operation.as_ref().map(operations::columns).transpose()?;
    let engine_key = write.insert(
        sql!("engines/insert"),
        params![
            new.name.location.project,
            new.name.location.location,
            new.name.engine,
            new.content.display_name,
            new.content.description,
            labels,
            &*new.content.settings,
            new.create_time.0,
        ],
    )?;
    write.execute(sql!("engines/insert_app"), [engine_key])?;
    if let Some(operation) = stored {
        operations::insert(write, operation, Home::Engine(engine_key, &new.name), true)?;
    }
    Ok(Engine {
        name: new.name.clone(),
        content: new.content.clone(),
        revision: 1,
        create_time: new.create_time,
        update_time: new.create_time,
    })
}

/// See `Store::update_engine`.
pub(crate) fn update(write: &mut Write<'_>, update: &EngineUpdate) -> Attempt<Engine> {
    let (engine_key, mut engine) =
        read::engines::get(write.connection, &update.name)?.ok_or(StoreError::EngineNotFound)?;
    if (engine.revision, engine.create_time) != (update.revision, update.create_time) {
        return Err(StoreError::RevisionChanged.into());
    }
    let labels = row::labels_column(&update.content.labels)?;
    let operation = operations::columns(&update.operation)?;
    engine.content = update.content.clone();
    engine.revision = engine.revision.saturating_add(1);
    engine.update_time = later(update.update_time, engine.update_time);
    write.execute(
        sql!("engines/update"),
        params![
            engine_key,
            engine.content.display_name,
            engine.content.description,
            labels,
            &*engine.content.settings,
            engine.revision,
            engine.update_time.0,
        ],
    )?;
    operations::insert(write, operation, Home::Engine(engine_key, &update.name), true)?;
    Ok(engine)
}

/// See `Store::delete_engine`.
pub(crate) fn delete(write: &mut Write<'_>, deletion: &EngineDeletion) -> Attempt<Operation> {
    let engine_key = write.engine(&deletion.name)?;
    if !deletion.force {
        let has_sessions: bool = write
            .connection
            .prepare_cached(sql!("engines/has_live_sessions"))?
            .query_row((engine_key, deletion.now.0), |row| row.get(0))?;
        if has_sessions {
            return Err(StoreError::HasSessions.into());
        }
    }
    let operation = operations::columns(&deletion.operation)?;
    write.engines.forget(&deletion.name);
    write.execute(sql!("engines/mark_deleted"), (engine_key, operation.id))?;
    operations::insert(write, operation, Home::Location(&deletion.name.location), false)?;
    let mut budget = Budget::new(SMALL_ENGINE_ROWS);
    let done = free::engine(write, engine_key, &mut budget)?;
    if done {
        operations::finish(write, operation.id, deletion.operation.time)?;
    }
    Ok(Operation {
        id: deletion.operation.id,
        parent: deletion.name.location.clone().into(),
        kind: deletion.operation.kind,
        version: deletion.operation.version,
        done,
        create_time: deletion.operation.time,
        update_time: deletion.operation.time,
    })
}

/// The asked update time, or a microsecond after the last one if that is later.
pub(super) fn later(asked: Timestamp, last: Timestamp) -> Timestamp {
    asked.max(Timestamp(last.0.saturating_add(1)))
}
