//! The store: opening, closing, deadlines, and the contract handed on to queries and commands.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use colloquy_sessions::engine::Engine;
use colloquy_sessions::event::Event;
use colloquy_sessions::horizon::Horizon;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{
    Append, Appended, EngineDeletion, EngineQuery, EngineUpdate, EventQuery, NewEngine, NewSession,
    OperationQuery, Progress, SessionDeletion, SessionQuery, SessionUpdate, Store, StoreError, StoreResult,
};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName, SessionName};

use crate::database::{Command, Database, Query};
use crate::engine_keys::EngineKeys;
use crate::error::{Attempt, OpenError};
use crate::lease::Lease;
use crate::migrate::migrate;
use crate::session_keys::SessionKeys;
use crate::transfer::refuse_unfinished;
use crate::write::create::Create;
use crate::writer::Writer;
use crate::{horizon, read, write};

/// How a store uses the database.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most connections that this node opens; at least 1.
    pub connections: usize,
    /// How many batches of appends this node commits at the same time; at least 1.
    pub writers: usize,
    /// The most events that share one commit, where they come in more than one append; at least 1.
    pub max_batch: usize,
    /// The longest wait for a connection.
    pub wait: Duration,
    /// The longest that anything takes, waiting included.
    pub deadline: Duration,
    /// How long another node waits for one that does upkeep and is not heard of.
    pub lease: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            writers: 4,
            max_batch: 256,
            wait: Duration::from_secs(5),
            deadline: Duration::from_secs(20),
            lease: Duration::from_secs(15),
        }
    }
}

/// A database, opened.
#[derive(Debug)]
pub struct PostgresStore {
    database: Database,
    engines: Arc<EngineKeys>,
    sessions: Arc<SessionKeys>,
    writer: Writer,
    lease: Lease,
    deadline: Duration,
}

impl PostgresStore {
    /// Connects to a database by its `postgres://` URL and brings its schema up to date. Call it within a runtime.
    ///
    /// # Errors
    /// The URL is wrong, the database cannot be reached, or its schema is of a newer server.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let database = Database::new(url, &options)?;
        migrate(&database).await?;
        refuse_unfinished(&database).await?;
        let lease = Lease::new(options.lease)?;
        let engines = Arc::<EngineKeys>::default();
        let sessions = Arc::<SessionKeys>::default();
        let writer = Writer::start(&database, &sessions, &options);
        Ok(Self { database, engines, sessions, writer, lease, deadline: options.deadline })
    }

    /// Commits what is waiting and closes the connections. What comes later is refused (`Unavailable`). Closing
    /// again does nothing.
    pub async fn close(&self) {
        self.writer.stop().await;
        if let Err(error) = self.within(self.lease.release(&self.database)).await {
            // It ends by itself.
            tracing::debug!(%error, "the lease of upkeep was not given back");
        }
        self.database.close();
    }

    async fn write<C: Command>(&self, command: C) -> StoreResult<C::Output> {
        self.within(self.database.write(&command)).await
    }

    async fn read<Q: Query>(&self, query: Q) -> StoreResult<Q::Output> {
        self.within(self.database.read(&query)).await
    }

    async fn within<T>(&self, work: impl Future<Output = Attempt<T>>) -> StoreResult<T> {
        match tokio::time::timeout(self.deadline, work).await {
            Ok(result) => result.map_err(crate::error::Failure::into_store_error),
            Err(_) => Err(out_of_time()),
        }
    }
}

/// What a deadline becomes.
pub(crate) fn out_of_time() -> StoreError {
    StoreError::Unavailable("the database did not answer in time".to_owned())
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_engine(&self, engine: NewEngine) -> StoreResult<Engine> {
        self.write(engine).await
    }

    async fn get_engine(&self, name: &EngineName) -> StoreResult<Option<Engine>> {
        self.within(read::engines::get_one(&self.database, name)).await
    }

    async fn list_engines(&self, query: EngineQuery) -> StoreResult<Page<Engine>> {
        self.read(query).await
    }

    async fn update_engine(&self, update: EngineUpdate) -> StoreResult<Engine> {
        self.write(update).await
    }

    async fn delete_engine(&self, deletion: EngineDeletion) -> StoreResult<Operation> {
        self.write(deletion).await
    }

    async fn create_session(&self, session: NewSession) -> StoreResult<Session> {
        let new = Create { new: &session, engines: &self.engines, sessions: &self.sessions };
        self.within(self.database.exchange(&new)).await
    }

    async fn get_session(&self, name: &SessionName, now: Timestamp) -> StoreResult<Option<Session>> {
        self.within(read::sessions::get_one(&self.database, &self.engines, name, now)).await
    }

    async fn list_sessions(&self, query: SessionQuery) -> StoreResult<Page<Session>> {
        self.read(query).await
    }

    async fn update_session(&self, update: SessionUpdate) -> StoreResult<Session> {
        self.write(update).await
    }

    async fn delete_session(&self, deletion: SessionDeletion) -> StoreResult<Operation> {
        self.sessions.forget(&deletion.name);
        self.write(deletion).await
    }

    async fn append_events(&self, append: Append) -> StoreResult<Vec<Appended>> {
        tokio::time::timeout(self.deadline, self.writer.append(append))
            .await
            .unwrap_or_else(|_| Err(out_of_time()))
    }

    async fn list_events(&self, query: EventQuery) -> StoreResult<Page<Event>> {
        self.read(query).await
    }

    async fn get_operation(
        &self,
        location: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> StoreResult<Option<Operation>> {
        self.read(read::operations::Get { location, id, now }).await
    }

    async fn list_operations(&self, query: OperationQuery) -> StoreResult<Page<Operation>> {
        self.read(query).await
    }

    async fn delete_operation(&self, location: &LocationName, id: u64) -> StoreResult<bool> {
        self.write(write::operations::Delete { location, id }).await
    }

    async fn lease_upkeep(&self) -> StoreResult<bool> {
        self.within(self.lease.take(&self.database)).await
    }

    async fn horizon(&self) -> StoreResult<Option<Horizon>> {
        self.read(horizon::Read).await
    }

    async fn keep_horizon(&self, horizon: Horizon) -> StoreResult<()> {
        self.write(horizon::Keep(horizon)).await
    }

    async fn expire_sessions(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.write(write::upkeep::ExpireSessions { now, limit }).await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.write(write::upkeep::Purge { now, limit }).await
    }

    async fn sweep_operations(&self, ended_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.write(write::upkeep::SweepOperations { ended_before, limit }).await
    }

    async fn sweep_requests(&self, recorded_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.write(write::requests::SweepRequests { recorded_before, limit }).await
    }

    async fn health(&self) -> StoreResult<()> {
        if let Some(cause) = self.database.is_full() {
            return Err(StoreError::Unavailable(format!("the database has no room: {cause}")));
        }
        self.write(read::Health).await.map_err(|error| match error {
            StoreError::Unavailable(_) => error,
            other => StoreError::Unavailable(format!("the database cannot be used: {other}")),
        })
    }
}
