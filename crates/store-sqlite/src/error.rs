//! What can go wrong: opening a data directory, and running a statement.

use std::path::PathBuf;

use colloquy_sessions::store::StoreError;
use rusqlite::ErrorCode;

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server holds the directory.
    #[error("the data directory {} is in use by another server (pid {pid})", .directory.display())]
    AlreadyInUse {
        /// The directory.
        directory: PathBuf,
        /// The holder, as it wrote itself down; `unknown` where it has not yet.
        pid: String,
    },
    /// The directory was written by a later version of the server.
    #[error(
        "the database {} has schema version {found}; this server knows versions up to {supported}: \
         use a newer server",
        .database.display()
    )]
    NewerSchema {
        /// The database file.
        database: PathBuf,
        /// Its schema version.
        found: i64,
        /// The last version that this server knows.
        supported: i64,
    },
    /// A migration that was applied is not the one that this server has under its number.
    #[error(
        "migration {number} ({name}) of the database {} is not the one that this server knows; \
         the database was made by a different build",
        .database.display()
    )]
    ChecksumMismatch {
        /// The database file.
        database: PathBuf,
        /// The number of the migration.
        number: i64,
        /// Its name.
        name: String,
    },
    /// The write-ahead log is damaged before its end.
    #[error(
        "the write-ahead log {} is damaged at byte {offset}, and what was committed after that cannot be read: \
         restore the data directory from a backup",
        .log.display()
    )]
    DamagedLog {
        /// The log file.
        log: PathBuf,
        /// Where the first frame that is not whole begins.
        offset: u64,
    },
    /// A file or directory could not be used.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, such as `create the directory`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There is nothing to copy.
    #[error("there is no store in {}", .directory.display())]
    NoStore {
        /// The directory.
        directory: PathBuf,
    },
    /// A migration into the database was cut off, or found a difference at its end.
    #[error(
        "the database {} holds an unfinished migration from {from}: run `colloquy migrate` again to finish it, \
         or begin with an empty directory",
        .database.display()
    )]
    UnfinishedMigration {
        /// The database file.
        database: PathBuf,
        /// The store that is migrated.
        from: String,
    },
    /// SQLite could not open or prepare the database.
    #[error("cannot open the database {}: {source}", .database.display())]
    Sqlite {
        /// The database file.
        database: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}

/// Why a command or a query gave no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// By the rules of the contract; nothing was written.
    Refused(StoreError),
    /// SQLite failed; something may have been written, and must be rolled back.
    Sqlite(rusqlite::Error),
}

/// The result of a command or a query.
pub(crate) type Attempt<T> = Result<T, Failure>;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failure {
    /// As the contract says it.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(error) => store_error(&error),
        }
    }
}

/// An SQLite error in the words of the contract.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::OutOfSpace(text),
        _ if is_defect(error) => StoreError::Internal(text),
        _ => StoreError::Unavailable(text),
    }
}

/// Whether there is no room on the disk. A commit that found none for the index of the log may be in the log all
/// the same.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    let Some(error) = error.sqlite_error() else { return false };
    error.code == ErrorCode::DiskFull || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}

/// Whether an error tells of the statement or the data, and not of the machine: what one command
/// meets, the others of its batch need not.
pub(crate) fn is_defect(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::InternalMalfunction
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotFound
                | ErrorCode::TooBig
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::ApiMisuse
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::NotADatabase
                | ErrorCode::Unknown
        ),
        None => true,
    }
}
