//! A store whose appends store nothing: what the rest of the server costs, for benchmarks.

use std::sync::Arc;

use async_trait::async_trait;
use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::Engine;
use colloquy_sessions::event::Event;
use colloquy_sessions::horizon::Horizon;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{
    Append, Appended, EngineDeletion, EngineQuery, EngineUpdate, EventQuery, NewEngine, NewEvent, NewSession,
    OperationQuery, Progress, SessionDeletion, SessionQuery, SessionUpdate, Store, StoreResult,
};
use resource_names::{EngineName, LocationName, SessionName};

/// Passes everything on but appends.
pub(crate) struct NullAppend {
    inner: Arc<dyn Store>,
}

impl NullAppend {
    pub(crate) fn over(inner: Arc<dyn Store>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl Store for NullAppend {
    async fn append_events(&self, append: Append) -> StoreResult<Vec<Appended>> {
        let appended = |event: &NewEvent| Appended { sequence: 0, update_time: event.update_time };
        Ok(append.events.iter().map(appended).collect())
    }

    async fn create_engine(&self, engine: NewEngine) -> StoreResult<Engine> {
        self.inner.create_engine(engine).await
    }

    async fn get_engine(&self, name: &EngineName) -> StoreResult<Option<Engine>> {
        self.inner.get_engine(name).await
    }

    async fn list_engines(&self, query: EngineQuery) -> StoreResult<Page<Engine>> {
        self.inner.list_engines(query).await
    }

    async fn update_engine(&self, update: EngineUpdate) -> StoreResult<Engine> {
        self.inner.update_engine(update).await
    }

    async fn delete_engine(&self, deletion: EngineDeletion) -> StoreResult<Operation> {
        self.inner.delete_engine(deletion).await
    }

    async fn create_session(&self, session: NewSession) -> StoreResult<Session> {
        self.inner.create_session(session).await
    }

    async fn get_session(&self, name: &SessionName, now: Timestamp) -> StoreResult<Option<Session>> {
        self.inner.get_session(name, now).await
    }

    async fn list_sessions(&self, query: SessionQuery) -> StoreResult<Page<Session>> {
        self.inner.list_sessions(query).await
    }

    async fn update_session(&self, update: SessionUpdate) -> StoreResult<Session> {
        self.inner.update_session(update).await
    }

    async fn delete_session(&self, deletion: SessionDeletion) -> StoreResult<Operation> {
        self.inner.delete_session(deletion).await
    }

    async fn list_events(&self, query: EventQuery) -> StoreResult<Page<Event>> {
        self.inner.list_events(query).await
    }

    async fn get_operation(
        &self,
        at: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> StoreResult<Option<Operation>> {
        self.inner.get_operation(at, id, now).await
    }

    async fn list_operations(&self, query: OperationQuery) -> StoreResult<Page<Operation>> {
        self.inner.list_operations(query).await
    }

    async fn delete_operation(&self, at: &LocationName, id: u64) -> StoreResult<bool> {
        self.inner.delete_operation(at, id).await
    }

    async fn lease_upkeep(&self) -> StoreResult<bool> {
        self.inner.lease_upkeep().await
    }

    async fn horizon(&self) -> StoreResult<Option<Horizon>> {
        self.inner.horizon().await
    }

    async fn keep_horizon(&self, horizon: Horizon) -> StoreResult<()> {
        self.inner.keep_horizon(horizon).await
    }

    async fn expire_sessions(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.inner.expire_sessions(now, limit).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.inner.purge(now, limit).await
    }

    async fn sweep_operations(&self, ended_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.inner.sweep_operations(ended_before, limit).await
    }

    async fn sweep_requests(&self, recorded_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.inner.sweep_requests(recorded_before, limit).await
    }

    async fn health(&self) -> StoreResult<()> {
        self.inner.health().await
    }
}
