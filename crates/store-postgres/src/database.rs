//! The way to the database: a pool of connections, transactions that are tried again, snapshots.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Client, ConfigConnectImpl, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

use crate::Options;
use crate::connection::Connection;
use crate::error::{Attempt, Failure, OpenError};
use crate::hosts::HostsInTurn;
use crate::protocol::Protocol;
use crate::room::Room;
use crate::transaction::Transaction;
use crate::url::Target;

/// How often a transaction is tried that meets others, and the longest rest before the next time.
pub(crate) const TRIES: u32 = 12;
const LONGEST_REST_MILLIS: u64 = 64;

/// How often a read is tried whose connection is lost.
const READS: u32 = 3;

/// A parameter of a statement.
pub(crate) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// A write: runs within one transaction, which is rolled back if it fails or refuses. May be run more than once.
pub(crate) trait Command: Sync {
    type Output: Send;

    fn run(&self, transaction: &Transaction<'_>) -> impl Future<Output = Attempt<Self::Output>> + Send;
}

/// A read of several statements: runs within one snapshot.
pub(crate) trait Query: Sync {
    type Output: Send;

    fn run(&self, snapshot: &Transaction<'_>) -> impl Future<Output = Attempt<Self::Output>> + Send;
}

/// The pool.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pool: Pool,
    pub(crate) protocol: Arc<Protocol>,
    pub(crate) room: Arc<Room>,
}

impl Database {
    /// Reads the URL and makes the pool; no connection is opened yet.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let Target { mut config, tls, is_pooled, settings } = Target::read(url)?;
        let protocol = Protocol::new(options, settings, is_pooled);
        if let Some(options) = protocol.startup_options() {
            config.options(options);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(options.wait);
        }
        if config.get_application_name().is_none() {
            config.application_name("colloquy");
        }
        config.tcp_user_timeout(options.deadline);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connect = ConfigConnectImpl { tls: tls.connector()? };
        let connect = HostsInTurn::new(connect, &config, options.wait);
        let manager = Manager::from_connect(config, connect, recycling);
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(options.wait))
            .recycle_timeout(Some(options.wait))
            .build()
            .map_err(|error| OpenError::Database(error.to_string()))?;
        Ok(Self { pool, protocol: Arc::new(protocol), room: Arc::default() })
    }

    /// A connection.
    pub(crate) async fn client(&self) -> Attempt<Connection> {
        Ok(Connection::new(self.pool.get().await?))
    }

    /// Runs a command and commits. Where other transactions are in the way it is tried again, for a while; after
    /// a lost connection it is not, because nobody knows whether the commit was done. A connection to a server that
    /// takes no writes is given up, and another one tried once: the URL may name a server that does.
    pub(crate) async fn write<C: Command>(&self, command: &C) -> Attempt<C::Output> {
        let mut client = self.client().await?;
        let (mut tried, mut has_moved) = (0, false);
        loop {
            match self.attempt(&mut client, command).await {
                Err(failure) if failure.is_conflict() && tried < TRIES => {
                    tried += 1;
                    tokio::time::sleep(rest(tried)).await;
                }
                Err(failure) if failure.is_read_only() && !has_moved => {
                    has_moved = true;
                    drop(client.end::<()>(Err(failure)));
                    client = self.client().await?;
                }
                done => {
                    if let Err(failure) = &done {
                        self.room.note(failure);
                    }
                    return client.end(done);
                }
            }
        }
    }

    /// Why the database is full, if it was a moment ago.
    pub(crate) fn is_full(&self) -> Option<String> {
        self.room.is_wanting()
    }

    /// Once; read committed, whatever the database's default: locks say what must stay as it is.
    async fn attempt<C: Command>(&self, client: &mut Client, command: &C) -> Attempt<C::Output> {
        let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
        let transaction = Transaction::new(begun, &self.protocol);
        let output = transaction.with_settings(command.run(&transaction)).await?;
        let has_written = transaction.has_written();
        transaction.commit().await?;
        if has_written {
            self.room.is_there();
        }
        Ok(output)
    }

    /// Runs a query on one snapshot. A read that loses its connection is tried again: it changes nothing.
    pub(crate) async fn read<Q: Query>(&self, query: &Q) -> Attempt<Q::Output> {
        let mut tried = 1;
        loop {
            let mut client = self.client().await?;
            let done = self.read_once(&mut client, query).await;
            match client.end(done) {
                Err(failure) if failure.is_lost() && tried < READS => tried += 1,
                done => return done,
            }
        }
    }

    async fn read_once<Q: Query>(&self, client: &mut Client, query: &Q) -> Attempt<Q::Output> {
        let begun = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let snapshot = Transaction::new(begun, &self.protocol);
        let output = snapshot.with_settings(query.run(&snapshot)).await?;
        snapshot.commit().await?;
        Ok(output)
    }

    /// Runs one statement that only reads, for its rows.
    pub(crate) async fn select(&self, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<Vec<Row>> {
        if self.protocol.is_pooled() {
            return self.read(&Select { sql, parameters }).await;
        }
        let mut tried = 1;
        loop {
            let client = self.client().await?;
            let done = select_once(&client, sql, parameters).await;
            match client.end(done) {
                Err(failure) if failure.is_lost() && tried < READS => tried += 1,
                done => return done,
            }
        }
    }

    /// Gives out no more connections.
    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

async fn select_once(client: &Client, sql: &str, parameters: &[Parameter<'_>]) -> Attempt<Vec<Row>> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, parameters).await?)
}

/// See [`Database::select`].
struct Select<'a> {
    sql: &'a str,
    parameters: &'a [Parameter<'a>],
}

impl Query for Select<'_> {
    type Output = Vec<Row>;

    async fn run(&self, snapshot: &Transaction<'_>) -> Attempt<Vec<Row>> {
        query(snapshot, self.sql, self.parameters).await
    }
}

/// Twice as long each time, and different on every node.
pub(crate) fn rest(tried: u32) -> Duration {
    let longest = 1_u64.checked_shl(tried).unwrap_or(LONGEST_REST_MILLIS).min(LONGEST_REST_MILLIS) * 1000;
    Duration::from_micros(getrandom::u64().unwrap_or_default() % longest)
}

/// Runs a statement for its rows.
pub(crate) async fn query(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Attempt<Vec<Row>> {
    transaction.query(sql, parameters).await
}

/// Runs a statement for its one row, if there is one.
pub(crate) async fn first(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Attempt<Option<Row>> {
    Ok(query(transaction, sql, parameters).await?.into_iter().next())
}

/// Runs a statement; how many rows it changed.
pub(crate) async fn execute(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Attempt<usize> {
    let rows = transaction.execute(sql, parameters).await?;
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}

impl Failure {
    /// Whether this tells of the command or its data, and not of the database: what one command of a batch meets,
    /// the others need not.
    pub(crate) fn is_defect(&self) -> bool {
        matches!(self, Self::Postgres(error)
            if matches!(crate::error::store_error(error), colloquy_sessions::store::StoreError::Internal(_)))
    }
}
