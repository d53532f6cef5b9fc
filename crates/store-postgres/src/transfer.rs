//! A database opened for its rows: what a migration reads from and writes to, while no node has it.

mod mark;
mod put;
mod read;

use std::time::Duration;

use async_trait::async_trait;
use colloquy_sessions::page::Cursor;
use colloquy_sessions::transfer::{
    Identity, Kind, Limit, Position, Rows, Transfer, TransferError, TransferResult,
};

use crate::Options;
use crate::database::{Command, Database, Query};
use crate::error::{Failure, OpenError};
use crate::migrate::migrate;

pub(crate) use mark::refuse_unfinished;

/// The longest that one batch may take: nobody waits for it.
const DEADLINE: Duration = Duration::from_secs(60 * 60);

/// A database that no node serves from.
#[derive(Debug)]
pub struct PostgresTransfer {
    database: Database,
    identity: Identity,
}

impl PostgresTransfer {
    /// Connects to a database that is to be copied.
    ///
    /// # Errors
    /// The URL is wrong, the database cannot be reached, or it is itself the destination of an unfinished migration.
    pub async fn open_source(url: &str) -> Result<Self, OpenError> {
        let transfer = Self::open(url).await?;
        refuse_unfinished(&transfer.database).await?;
        Ok(transfer)
    }

    /// Connects to a database that is to be copied to, and brings its schema up to date.
    ///
    /// # Errors
    /// The URL is wrong, or the database cannot be reached.
    pub async fn open_destination(url: &str) -> Result<Self, OpenError> {
        Self::open(url).await
    }

    async fn open(url: &str) -> Result<Self, OpenError> {
        let options = Options { connections: 2, deadline: DEADLINE, ..Options::default() };
        let database = Database::new(url, &options)?;
        migrate(&database).await?;
        let identity = mark::identity(&database).await?;
        Ok(Self { database, identity })
    }

    async fn read<Q: Query>(&self, query: Q) -> TransferResult<Q::Output> {
        Ok(self.database.read(&query).await.map_err(Failure::into_store_error)?)
    }

    /// Runs a command; its output says why nothing was written where that is not for the database to say.
    async fn write<C: Command>(&self, command: C) -> TransferResult<C::Output> {
        Ok(self.database.write(&command).await.map_err(Failure::into_store_error)?)
    }
}

#[async_trait]
impl Transfer for PostgresTransfer {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn sizes(&self) -> TransferResult<[u64; Kind::ALL.len()]> {
        self.read(read::Sizes).await
    }

    async fn read(
        &self,
        kind: Kind,
        after: Option<&Cursor>,
        limit: Limit,
    ) -> TransferResult<(Rows, Option<Cursor>)> {
        self.read(read::Read { kind, after, limit }).await
    }

    async fn begin(&self, source: &Identity) -> TransferResult<Position> {
        self.write(mark::Begin { source }).await?
    }

    async fn write(&self, rows: &Rows, from: &Position, to: &Position) -> TransferResult<()> {
        if self.write(put::Put { rows, from, to }).await? { Ok(()) } else { Err(TransferError::Overtaken) }
    }

    async fn finish(&self) -> TransferResult<()> {
        self.write(mark::End).await
    }

    async fn close(&self) {
        self.database.close();
    }
}
