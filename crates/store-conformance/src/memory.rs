//! The model: a store over plain maps, written to be read. Not durable.

mod cursor;
mod engines;
mod events;
mod operations;
mod requests;
mod sessions;
mod state;
mod tables;
mod upkeep;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::Engine;
use colloquy_sessions::event::Event;
use colloquy_sessions::horizon::Horizon;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{
    Append, Appended, EngineDeletion, EngineQuery, EngineUpdate, EventQuery, NewEngine, NewSession,
    OperationQuery, Progress, SessionDeletion, SessionQuery, SessionUpdate, Store, StoreResult,
};
use resource_names::{EngineName, LocationName, SessionName};

use self::tables::Tables;

/// A store in memory: every method is one step under one lock, lists are sorted when they are asked for.
///
/// What other engines are held against, and good enough for tests of what stands above a store.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A writer changes the tables only after all its checks: there is nothing half-done to fear.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create_engine(&self, engine: NewEngine) -> StoreResult<Engine> {
        self.tables().create_engine(engine)
    }

    async fn get_engine(&self, name: &EngineName) -> StoreResult<Option<Engine>> {
        Ok(self.tables().get_engine(name))
    }

    async fn list_engines(&self, query: EngineQuery) -> StoreResult<Page<Engine>> {
        self.tables().list_engines(&query)
    }

    async fn update_engine(&self, update: EngineUpdate) -> StoreResult<Engine> {
        self.tables().update_engine(update)
    }

    async fn delete_engine(&self, deletion: EngineDeletion) -> StoreResult<Operation> {
        self.tables().delete_engine(&deletion)
    }

    async fn create_session(&self, session: NewSession) -> StoreResult<Session> {
        self.tables().create_session(session)
    }

    async fn get_session(&self, name: &SessionName, now: Timestamp) -> StoreResult<Option<Session>> {
        Ok(self.tables().get_session(name, now))
    }

    async fn list_sessions(&self, query: SessionQuery) -> StoreResult<Page<Session>> {
        self.tables().list_sessions(&query)
    }

    async fn update_session(&self, update: SessionUpdate) -> StoreResult<Session> {
        self.tables().update_session(update)
    }

    async fn delete_session(&self, deletion: SessionDeletion) -> StoreResult<Operation> {
        self.tables().delete_session(deletion)
    }

    async fn append_events(&self, append: Append) -> StoreResult<Vec<Appended>> {
        self.tables().append_events(append)
    }

    async fn list_events(&self, query: EventQuery) -> StoreResult<Page<Event>> {
        self.tables().list_events(&query)
    }

    async fn get_operation(
        &self,
        location: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> StoreResult<Option<Operation>> {
        Ok(self.tables().get_operation(location, id, now))
    }

    async fn list_operations(&self, query: OperationQuery) -> StoreResult<Page<Operation>> {
        self.tables().list_operations(&query)
    }

    async fn delete_operation(&self, location: &LocationName, id: u64) -> StoreResult<bool> {
        Ok(self.tables().delete_operation(location, id))
    }

    async fn horizon(&self) -> StoreResult<Option<Horizon>> {
        Ok(self.tables().horizon)
    }

    async fn keep_horizon(&self, horizon: Horizon) -> StoreResult<()> {
        self.tables().horizon = Some(horizon);
        Ok(())
    }

    async fn expire_sessions(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        Ok(self.tables().expire_sessions(now, limit))
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        Ok(self.tables().purge(now, limit))
    }

    async fn sweep_operations(&self, ended_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        Ok(self.tables().sweep_operations(ended_before, limit))
    }

    async fn sweep_requests(&self, recorded_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        Ok(self.tables().sweep_requests(recorded_before, limit))
    }

    async fn health(&self) -> StoreResult<()> {
        Ok(())
    }
}
