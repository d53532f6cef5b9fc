//! Several nodes on one database, as a balancer shows them.

use std::sync::atomic::{AtomicUsize, Ordering};

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
use colloquy_store_postgres::PostgresStore;
use resource_names::{EngineName, LocationName, SessionName};

/// Nodes that take turns: each request goes to the next one.
pub(crate) struct Nodes {
    nodes: Vec<PostgresStore>,
    turns: AtomicUsize,
}

impl Nodes {
    pub(crate) fn new(nodes: Vec<PostgresStore>) -> Self {
        Self { nodes, turns: AtomicUsize::new(0) }
    }

    fn next(&self) -> &PostgresStore {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed) % self.nodes.len();
        self.nodes.get(turn).unwrap()
    }
}

#[async_trait]
impl Store for Nodes {
    async fn append_events(&self, append: Append) -> StoreResult<Vec<Appended>> {
        self.next().append_events(append).await
    }

    async fn create_engine(&self, engine: NewEngine) -> StoreResult<Engine> {
        self.next().create_engine(engine).await
    }

    async fn get_engine(&self, name: &EngineName) -> StoreResult<Option<Engine>> {
        self.next().get_engine(name).await
    }

    async fn list_engines(&self, query: EngineQuery) -> StoreResult<Page<Engine>> {
        self.next().list_engines(query).await
    }

    async fn update_engine(&self, update: EngineUpdate) -> StoreResult<Engine> {
        self.next().update_engine(update).await
    }

    async fn delete_engine(&self, deletion: EngineDeletion) -> StoreResult<Operation> {
        self.next().delete_engine(deletion).await
    }

    async fn create_session(&self, session: NewSession) -> StoreResult<Session> {
        self.next().create_session(session).await
    }

    async fn get_session(&self, name: &SessionName, now: Timestamp) -> StoreResult<Option<Session>> {
        self.next().get_session(name, now).await
    }

    async fn list_sessions(&self, query: SessionQuery) -> StoreResult<Page<Session>> {
        self.next().list_sessions(query).await
    }

    async fn update_session(&self, update: SessionUpdate) -> StoreResult<Session> {
        self.next().update_session(update).await
    }

    async fn delete_session(&self, deletion: SessionDeletion) -> StoreResult<Operation> {
        self.next().delete_session(deletion).await
    }

    async fn list_events(&self, query: EventQuery) -> StoreResult<Page<Event>> {
        self.next().list_events(query).await
    }

    async fn get_operation(
        &self,
        at: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> StoreResult<Option<Operation>> {
        self.next().get_operation(at, id, now).await
    }

    async fn list_operations(&self, query: OperationQuery) -> StoreResult<Page<Operation>> {
        self.next().list_operations(query).await
    }

    async fn delete_operation(&self, at: &LocationName, id: u64) -> StoreResult<bool> {
        self.next().delete_operation(at, id).await
    }

    async fn lease_upkeep(&self) -> StoreResult<bool> {
        self.next().lease_upkeep().await
    }

    async fn horizon(&self) -> StoreResult<Option<Horizon>> {
        self.next().horizon().await
    }

    async fn keep_horizon(&self, horizon: Horizon) -> StoreResult<()> {
        self.next().keep_horizon(horizon).await
    }

    async fn expire_sessions(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.next().expire_sessions(now, limit).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.next().purge(now, limit).await
    }

    async fn sweep_operations(&self, ended_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.next().sweep_operations(ended_before, limit).await
    }

    async fn sweep_requests(&self, recorded_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.next().sweep_requests(recorded_before, limit).await
    }

    async fn health(&self) -> StoreResult<()> {
        self.next().health().await
    }
}
