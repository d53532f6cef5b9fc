//! Engines in the tables.

use colloquy_sessions::engine::Engine;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::store::{
    EngineDeletion, EngineQuery, EngineUpdate, NewEngine, StoreError, StoreResult,
};
use resource_names::EngineName;

use super::cursor::{Scan, SortKey};
use super::tables::{EngineRow, Owner, Tables, next_update_time};
use crate::Seen;

impl Tables {
    pub(super) fn create_engine(&mut self, new: NewEngine) -> StoreResult<Engine> {
        if self.live_engine(&new.name).is_some() {
            return Err(StoreError::AlreadyExists);
        }
        let engine = Engine {
            name: new.name,
            content: new.content,
            revision: 1,
            create_time: new.create_time,
            update_time: new.create_time,
        };
        let key = self.insert_engine(EngineRow { engine: engine.clone(), deleted_by: None });
        if let Some(operation) = new.operation {
            self.insert_operation(operation, engine.name.clone().into(), Owner::Engine(key), true);
        }
        Ok(engine)
    }

    pub(super) fn get_engine(&self, name: &EngineName) -> Option<Engine> {
        let key = self.live_engine(name)?;
        self.engines.get(&key).map(|row| row.engine.clone())
    }

    pub(super) fn list_engines(&self, query: &EngineQuery) -> StoreResult<Page<Engine>> {
        let live = self.engines.values().filter(|row| row.deleted_by.is_none()).map(|row| &row.engine);
        let rows = live
            .filter(|engine| engine.name.location == query.location)
            .filter(|engine| query.filter.as_ref().is_none_or(|filter| filter.matches(&Seen(*engine))))
            .map(|engine| {
                let numbers = vec![engine.create_time.0.into()];
                (SortKey { numbers, text: engine.name.engine.clone() }, engine.clone())
            });
        Scan::new("engines", vec![true]).page(rows.collect(), query.after.as_ref(), query.limit)
    }

    pub(super) fn update_engine(&mut self, update: EngineUpdate) -> StoreResult<Engine> {
        let key = self.live_engine(&update.name).ok_or(StoreError::EngineNotFound)?;
        let engine = &mut self.engines.get_mut(&key).ok_or(StoreError::EngineNotFound)?.engine;
        if (engine.revision, engine.create_time) != (update.revision, update.create_time) {
            return Err(StoreError::RevisionChanged);
        }
        engine.content = update.content;
        engine.revision += 1;
        engine.update_time = next_update_time(engine.update_time, update.update_time);
        let engine = engine.clone();
        self.insert_operation(update.operation, update.name.into(), Owner::Engine(key), true);
        Ok(engine)
    }

    pub(super) fn delete_engine(&mut self, deletion: &EngineDeletion) -> StoreResult<Operation> {
        let key = self.live_engine(&deletion.name).ok_or(StoreError::EngineNotFound)?;
        let held = |tables: &Self| {
            tables.sessions.values().any(|row| row.engine == key && tables.session_is_live(row, deletion.now))
        };
        if !deletion.force && held(self) {
            return Err(StoreError::HasSessions);
        }
        // With no session to free, nothing is left to wait for.
        let done = !self.sessions.values().any(|row| row.engine == key);
        if let Some(row) = self.engines.get_mut(&key) {
            row.deleted_by = Some(deletion.operation.id);
        }
        let parent = deletion.name.location.clone().into();
        Ok(self.insert_operation(deletion.operation, parent, Owner::Location, done))
    }
}
