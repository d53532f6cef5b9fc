//! What can go wrong: opening a database, and running a statement.

use colloquy_sessions::store::StoreError;
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why a database could not be opened. No text of it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be read.
    #[error("the store's URL cannot be read: {0}")]
    Url(String),
    /// What the URL says of TLS cannot be done.
    #[error("TLS to the database cannot be set up: {0}")]
    Tls(String),
    /// The database was brought up to date by a later version of the server.
    #[error(
        "the database has schema version {found}, which a server that knows versions up to {supported} cannot work on: \
         use a newer server"
    )]
    NewerSchema {
        /// Its schema version.
        found: i64,
        /// The last version that this server knows.
        supported: i64,
    },
    /// A migration that was applied is not the one that this server has under its number.
    #[error(
        "migration {number} ({name}) of the database is not the one that this server knows; \
         the schema was made by a different build"
    )]
    ChecksumMismatch {
        /// The number of the migration.
        number: i64,
        /// Its name.
        name: String,
    },
    /// A migration into the database was cut off, or found a difference at its end.
    #[error(
        "the database holds an unfinished migration from {from}: run `colloquy migrate` again to finish it, \
         or begin with an empty schema"
    )]
    UnfinishedMigration {
        /// The store that is migrated.
        from: String,
    },
    /// The database cannot be reached, or refuses what is asked of it.
    #[error("cannot open the database: {0}")]
    Database(String),
}

/// What PgBouncer says to settings that come with a connection.
const POOLER: &str = "unsupported startup parameter";

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        let cause = match failure.into_store_error() {
            StoreError::Unavailable(cause) | StoreError::OutOfSpace(cause) | StoreError::Internal(cause) => {
                cause
            }
            refused => refused.to_string(),
        };
        if cause.contains(POOLER) {
            return Self::Database(format!("{cause}; behind PgBouncer, the URL must say pgbouncer=true"));
        }
        Self::Database(cause)
    }
}

/// Why a command or a query gave no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// By the rules of the contract; what was written is rolled back.
    Refused(StoreError),
    /// PostgreSQL or the way to it failed.
    Postgres(tokio_postgres::Error),
    /// No connection could be had.
    Pool(PoolError),
    /// The server of this connection takes no writes.
    ReadOnly,
}

/// The result of a command or a query.
pub(crate) type Attempt<T> = Result<T, Failure>;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl Failure {
    /// As the contract says it.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Postgres(error) => store_error(&error),
            Self::ReadOnly => StoreError::Unavailable("the database is read-only".to_owned()),
            Self::Pool(PoolError::Backend(error)) => store_error(&error),
            Self::Pool(error) => {
                StoreError::Unavailable(format!("no connection to the database: {}", describe(&error)))
            }
        }
    }

    /// As the contract says an error of PostgreSQL.
    pub(crate) fn as_store_error(&self) -> Option<StoreError> {
        match self {
            Self::Postgres(error) => Some(store_error(error)),
            _ => None,
        }
    }

    /// Whether the server refused to write, as a standby does, or one that a standby has taken the place of. Nothing is
    /// done then.
    pub(crate) fn is_read_only(&self) -> bool {
        match self {
            Self::ReadOnly => true,
            Self::Postgres(error) => error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION),
            _ => false,
        }
    }

    /// Whether the connection was lost, or the server went away.
    pub(crate) fn is_lost(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        match error.code() {
            None => !is_conversion(error),
            Some(code) => ["08", "57P"].iter().any(|class| code.code().starts_with(class)),
        }
    }

    /// Whether PostgreSQL undid the transaction because of others, so that it may go well the next time. An error
    /// without a code is never one: after a lost connection nobody knows whether the commit was done.
    pub(crate) fn is_conflict(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        // Two that make the same name at once meet in its unique index: the second one must look again.
        // Where statements are sent together, one that failed is what the next ones fail of; which of them is heard of
        // first is chance, so this asks again.
        // The name of a statement that another node has left in a connection of a pooler is not taken twice.
        [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            &SqlState::UNIQUE_VIOLATION,
            &SqlState::IN_FAILED_SQL_TRANSACTION,
            &SqlState::DUPLICATE_PSTATEMENT,
        ]
        .into_iter()
        .any(|conflict| error.code() == Some(conflict))
    }

    /// Whether the connection is fit for others. It is not where it broke, is about to, is in the middle of something,
    /// or leads to a server that takes no writes any more.
    pub(crate) fn leaves_the_connection(&self) -> bool {
        let Self::Postgres(error) = self else { return !self.is_read_only() };
        let broken = ["08", "25", "57"];
        error.code().is_some_and(|code| !broken.iter().any(|class| code.code().starts_with(class)))
    }
}

/// A PostgreSQL error in the words of the contract.
pub(crate) fn store_error(error: &tokio_postgres::Error) -> StoreError {
    let text = describe(error);
    let Some(code) = error.code() else {
        // Without a code, it did not come from the server: the connection broke, or the answer makes no sense.
        return if is_conversion(error) { StoreError::Internal(text) } else { StoreError::Unavailable(text) };
    };
    match code.code() {
        "53100" => StoreError::OutOfSpace(text),
        // Read-only (a standby), stopped by a deadline, or for saying nothing, conflicts that did not end.
        "25006" | "25P03" | "57014" | "40001" | "40P01" | "55P03" => StoreError::Unavailable(text),
        // Connections, resources, shutdowns, a failing system under the database.
        code if ["08", "53", "57", "58", "28", "3D"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Unavailable(text)
        }
        _ => StoreError::Internal(text),
    }
}

/// Whether an error is of reading or writing a value, and so a defect.
fn is_conversion(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.starts_with("error serializing parameter") || text.starts_with("error deserializing column")
}

/// An error with all that led to it: the text of the database's own errors is in their source.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
