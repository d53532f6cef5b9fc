//! The store: opening, closing, and the contract handed on to readers and writer.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use colloquy_sessions::engine::Engine;
use colloquy_sessions::event::Event;
use colloquy_sessions::horizon::Horizon;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{
    Append, Appended, EngineDeletion, EngineQuery, EngineUpdate, EventQuery, NewEngine, NewEvent, NewSession,
    OperationQuery, Progress, SessionDeletion, SessionQuery, SessionUpdate, Store, StoreError, StoreResult,
};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, LocationName, SessionName};
use rusqlite::Connection;

use crate::blocks::Blocks;
use crate::checkpoint::{Checkpointer, begin_log};
use crate::connection::{open_checkpointer, open_writer, page_bytes};
use crate::directory::DataDirectory;
use crate::error::OpenError;
use crate::fault::Fault;
use crate::log_check;
use crate::migrate::migrate;
use crate::pool::Readers;
use crate::reserve::Reserve;
use crate::sync::{self, Commits, LogSync, Sync};
use crate::transfer::refuse_unfinished;
use crate::writer::{Writer, start_error};
use crate::{read, write};

/// How a store uses the machine.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many queries run at the same time; at least 1.
    pub readers: usize,
    /// The most commands that share one commit; at least 1.
    pub max_batch: usize,
    /// The log is copied into the database when it has grown by so many pages of 4 KiB, and every second.
    pub checkpoint_pages: usize,
    /// The writer's page cache, in KiB.
    pub writer_cache_kib: u32,
    /// Each reader's page cache, in KiB.
    pub reader_cache_kib: u32,
    /// How much of the database readers map into memory, in bytes; 0 for none.
    pub mmap_bytes: i64,
    /// How much of the disk is kept for deletes, for when it is full, in bytes; 0 for nothing.
    pub reserve_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            max_batch: 512,
            checkpoint_pages: 32000,
            writer_cache_kib: 64 << 10,
            reader_cache_kib: 8 << 10,
            mmap_bytes: 1 << 30,
            reserve_bytes: 8 << 20,
        }
    }
}

/// A data directory, opened.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    checkpointer: Arc<Checkpointer>,
    readers: Arc<Readers>,
    directory: Mutex<Option<DataDirectory>>,
}

impl SqliteStore {
    /// Opens a data directory, makes it where there is none, and brings its schema up to date.
    /// Blocks: call it before the server serves.
    ///
    /// # Errors
    /// Another server holds the directory, it was written by a newer server, or the disk fails.
    pub fn open(directory: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_with(directory, &options, sync::sync, |_| Ok(()))
    }

    /// Opens with a disk and a writing connection that tests may spoil.
    pub(crate) fn open_with(
        directory: &Path,
        options: &Options,
        sync: Sync,
        prepare: fn(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Self, OpenError> {
        let directory = DataDirectory::take(directory)?;
        let database = directory.database();
        log_check::check_and_sync(&directory.log())?;
        let reserve = Reserve::new(directory.reserve(), options.reserve_bytes).map_err(|source| {
            OpenError::Io { action: "open the reserve", path: directory.reserve(), source }
        })?;
        let sqlite = |source| OpenError::Sqlite { database: database.clone(), source };
        let mut connection = open_writer(&database, options).map_err(sqlite)?;
        // The log begins anew, so that nothing which a loss of power left in it is ever beside what is written now.
        let checkpoints = open_checkpointer(&database).map_err(sqlite)?;
        begin_log(&checkpoints, &reserve).map_err(sqlite)?;
        migrate(&mut connection, &database)?;
        refuse_unfinished(&connection, &database)?;
        prepare(&connection).map_err(sqlite)?;
        directory.sync()?;
        let (fault, commits) = (Fault::default(), Commits::new());
        let readers = Readers::open(&database, options, commits.clone()).map_err(sqlite)?;
        let log = directory.log();
        let log = LogSync::open(&log, sync, commits, fault.clone()).map_err(|source| OpenError::Io {
            action: "open the log",
            path: log,
            source,
        })?;
        let page_bytes = page_bytes(&connection).map_err(sqlite)?;
        let blocks = Blocks::new(directory.database_file(), page_bytes);
        let (checkpointer, signal) =
            Checkpointer::start(checkpoints, options.checkpoint_pages, fault.clone(), reserve.clone())
                .map_err(|error| start_error(&database, error.into()))?;
        let writer = Writer::start(connection, options, signal, log, fault, reserve, blocks)
            .map_err(|error| start_error(&database, error))?;
        Ok(Self {
            writer: Arc::new(writer),
            checkpointer: Arc::new(checkpointer),
            readers,
            directory: Mutex::new(Some(directory)),
        })
    }

    /// Runs what is waiting, lets queries end, empties the log, and gives the directory free. What comes
    /// later is refused (`Unavailable`). Closing again does nothing.
    pub async fn close(&self) {
        self.readers.close().await;
        let (writer, checkpointer) = (Arc::clone(&self.writer), Arc::clone(&self.checkpointer));
        let stop = move || {
            writer.stop();
            checkpointer.stop();
        };
        if let Err(error) = tokio::task::spawn_blocking(stop).await {
            tracing::error!(%error, "the store did not close in order");
        }
        self.free_directory();
    }

    fn free_directory(&self) {
        drop(self.directory.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // After `close` there is nothing left to stop.
        self.writer.stop();
        self.checkpointer.stop();
        self.free_directory();
    }
}

/// About what a command takes besides its payload.
const COMMAND_BYTES: usize = 512;

#[async_trait]
impl Store for SqliteStore {
    async fn create_engine(&self, engine: NewEngine) -> StoreResult<Engine> {
        let bytes = COMMAND_BYTES + engine.content.settings.len();
        self.writer.submit(bytes, move |write| write::engines::create(write, &engine)).await
    }

    async fn get_engine(&self, name: &EngineName) -> StoreResult<Option<Engine>> {
        let name = name.clone();
        self.readers
            .read(move |connection| Ok(read::engines::get(connection, &name)?.map(|(_, engine)| engine)))
            .await
    }

    async fn list_engines(&self, query: EngineQuery) -> StoreResult<Page<Engine>> {
        self.readers.list(move |connection| read::engines::list(connection, &query)).await
    }

    async fn update_engine(&self, update: EngineUpdate) -> StoreResult<Engine> {
        let bytes = COMMAND_BYTES + update.content.settings.len();
        self.writer.submit(bytes, move |write| write::engines::update(write, &update)).await
    }

    async fn delete_engine(&self, deletion: EngineDeletion) -> StoreResult<Operation> {
        self.writer.submit_freeing(COMMAND_BYTES, move |write| write::engines::delete(write, &deletion)).await
    }

    async fn create_session(&self, session: NewSession) -> StoreResult<Session> {
        let bytes = COMMAND_BYTES + session.state.bytes();
        self.writer.submit(bytes, move |write| write::sessions::create(write, &session)).await
    }

    async fn get_session(&self, name: &SessionName, now: Timestamp) -> StoreResult<Option<Session>> {
        let name = name.clone();
        self.readers
            .read(move |connection| match read::engines::find(connection, &name.engine)? {
                Some(engine_key) => Ok(read::sessions::get(connection, engine_key, &name, now)?),
                None => Ok(None),
            })
            .await
    }

    async fn list_sessions(&self, query: SessionQuery) -> StoreResult<Page<Session>> {
        self.readers.list(move |connection| read::sessions::list(connection, &query)).await
    }

    async fn update_session(&self, update: SessionUpdate) -> StoreResult<Session> {
        self.writer.submit(COMMAND_BYTES, move |write| write::sessions::update(write, &update)).await
    }

    async fn delete_session(&self, deletion: SessionDeletion) -> StoreResult<Operation> {
        self.writer
            .submit_freeing(COMMAND_BYTES, move |write| write::sessions::delete(write, &deletion))
            .await
    }

    async fn append_events(&self, append: Append) -> StoreResult<Vec<Appended>> {
        let bytes = |event: &NewEvent| COMMAND_BYTES + event.payload.len() + event.delta.bytes();
        let bytes = append.events.iter().map(bytes).sum();
        self.writer.submit(bytes, move |write| write::events::append(write, &append)).await
    }

    async fn list_events(&self, query: EventQuery) -> StoreResult<Page<Event>> {
        self.readers.list(move |connection| read::events::list(connection, &query)).await
    }

    async fn get_operation(
        &self,
        location: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> StoreResult<Option<Operation>> {
        let location = location.clone();
        self.readers.read(move |connection| Ok(read::operations::get(connection, &location, id, now)?)).await
    }

    async fn list_operations(&self, query: OperationQuery) -> StoreResult<Page<Operation>> {
        self.readers.list(move |connection| read::operations::list(connection, &query)).await
    }

    async fn delete_operation(&self, location: &LocationName, id: u64) -> StoreResult<bool> {
        let location = location.clone();
        self.writer
            .submit_freeing(COMMAND_BYTES, move |write| write::operations::delete(write, &location, id))
            .await
    }

    async fn horizon(&self) -> StoreResult<Option<Horizon>> {
        self.readers.read(|connection| Ok(read::horizon::get(connection)?)).await
    }

    async fn keep_horizon(&self, horizon: Horizon) -> StoreResult<()> {
        self.writer.submit(COMMAND_BYTES, move |write| write::horizon::keep(write, horizon)).await
    }

    async fn expire_sessions(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.writer
            .submit_freeing(COMMAND_BYTES, move |write| write::upkeep::expire_sessions(write, now, limit))
            .await
    }

    async fn purge(&self, now: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.writer.submit_freeing(COMMAND_BYTES, move |write| write::upkeep::purge(write, now, limit)).await
    }

    async fn sweep_operations(&self, ended_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.writer
            .submit_freeing(COMMAND_BYTES, move |write| {
                write::upkeep::sweep_operations(write, ended_before, limit)
            })
            .await
    }

    async fn sweep_requests(&self, recorded_before: Timestamp, limit: usize) -> StoreResult<Progress> {
        self.writer
            .submit(COMMAND_BYTES, move |write| write::upkeep::sweep_requests(write, recorded_before, limit))
            .await
    }

    async fn health(&self) -> StoreResult<()> {
        self.readers
            .read(|connection| Ok(connection.pragma_query_value(None, "user_version", |_| Ok(()))?))
            .await
            .map_err(|error| match error {
                StoreError::Unavailable(_) => error,
                other => StoreError::Unavailable(format!("the database cannot be read: {other}")),
            })?;
        self.writer.check()
    }
}
