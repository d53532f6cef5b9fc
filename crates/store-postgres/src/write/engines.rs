//! Engines: create, update, delete.

use colloquy_sessions::engine::Engine;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::store::{EngineDeletion, EngineUpdate, NewEngine, StoreError};
use colloquy_sessions::time::Timestamp;

use super::free::{self, Budget};
use super::operations::{self, Home};
use crate::database::{Command, Parameter, execute, first};
use crate::error::Attempt;
use crate::key;
use crate::read;
use crate::row;
use crate::transaction::Transaction;

/// An engine with no more rows than this is purged with its deletion.
const SMALL_ENGINE_ROWS: usize = 100;

impl Command for NewEngine {
    type Output = Engine;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Engine> {
        if read::engines::find(transaction, &self.name).await?.is_some() {
            return Err(StoreError::AlreadyExists.into());
        }
        let engine_key = key::draw()?;
        let labels = row::labels_column(&self.content.labels)?;
        // If another one has made the name meanwhile, its index says so, and the next try finds it.
        let parameters: [Parameter<'_>; 9] = [
            &engine_key,
            &self.name.location.project.as_bytes(),
            &self.name.location.location.as_bytes(),
            &self.name.engine.as_bytes(),
            &self.content.display_name.as_bytes(),
            &self.content.description.as_bytes(),
            &labels,
            &&*self.content.settings,
            &self.create_time.0,
        ];
        execute(transaction, sql!("engines/insert"), &parameters).await?;
        execute(transaction, sql!("engines/insert_app"), &[&engine_key]).await?;
        if let Some(operation) = &self.operation {
            operations::insert(transaction, operation, Home::Engine(engine_key, &self.name), true).await?;
        }
        Ok(Engine {
            name: self.name.clone(),
            content: self.content.clone(),
            revision: 1,
            create_time: self.create_time,
            update_time: self.create_time,
        })
    }
}

impl Command for EngineUpdate {
    type Output = Engine;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Engine> {
        read::engines::lock(transaction, &self.name).await?.ok_or(StoreError::EngineNotFound)?;
        let (engine_key, mut engine) =
            read::engines::get(transaction, &self.name).await?.ok_or(StoreError::EngineNotFound)?;
        if (engine.revision, engine.create_time) != (self.revision, self.create_time) {
            return Err(StoreError::RevisionChanged.into());
        }
        let labels = row::labels_column(&self.content.labels)?;
        engine.content = self.content.clone();
        engine.revision = engine.revision.saturating_add(1);
        engine.update_time = later(self.update_time, engine.update_time);
        let parameters: [Parameter<'_>; 7] = [
            &engine_key,
            &engine.content.display_name.as_bytes(),
            &engine.content.description.as_bytes(),
            &labels,
            &&*engine.content.settings,
            &engine.revision,
            &engine.update_time.0,
        ];
        execute(transaction, sql!("engines/update"), &parameters).await?;
        operations::insert(transaction, &self.operation, Home::Engine(engine_key, &self.name), true).await?;
        Ok(engine)
    }
}

impl Command for EngineDeletion {
    type Output = Operation;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Operation> {
        // While it is locked nobody makes a session in it.
        let engine_key =
            read::engines::lock(transaction, &self.name).await?.ok_or(StoreError::EngineNotFound)?;
        if !self.force {
            let parameters: [Parameter<'_>; 2] = [&engine_key, &self.now.0];
            let row = first(transaction, sql!("engines/has_live_sessions"), &parameters).await?;
            if row.map(|row| row.try_get(0)).transpose()?.unwrap_or(false) {
                return Err(StoreError::HasSessions.into());
            }
        }
        let operation_id = row::id_column(self.operation.id)?;
        execute(transaction, sql!("engines/mark_deleted"), &[&engine_key, &operation_id]).await?;
        operations::insert(transaction, &self.operation, Home::Location(&self.name.location), false).await?;
        let mut budget = Budget::new(SMALL_ENGINE_ROWS);
        let done = free::engine(transaction, engine_key, &mut budget).await?;
        if done {
            operations::finish(transaction, operation_id, self.operation.time).await?;
        }
        Ok(Operation {
            id: self.operation.id,
            parent: self.name.location.clone().into(),
            kind: self.operation.kind,
            version: self.operation.version,
            done,
            create_time: self.operation.time,
            update_time: self.operation.time,
        })
    }
}

/// The asked update time, or a microsecond after the last one if that is later.
pub(super) fn later(asked: Timestamp, last: Timestamp) -> Timestamp {
    asked.max(Timestamp(last.0.saturating_add(1)))
}
