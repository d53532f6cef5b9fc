//! The data directory: made private, held by one server at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};

use crate::error::OpenError;

const LOCK_FILE: &str = "colloquy.lock";
const DATABASE_FILE: &str = "colloquy.db";
const RESERVE_FILE: &str = "colloquy.reserve";
/// SQLite names it after the database.
const LOG_FILE: &str = "colloquy.db-wal";

/// A directory that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// Stays open for as long as SQLite has the database open.
    database: Arc<File>,
    // The lock lives and dies with the open file, also when the process is killed.
    _lock: File,
}

impl DataDirectory {
    /// Whether there is a database in a directory.
    pub(crate) fn has_database(path: &Path) -> bool {
        path.join(DATABASE_FILE).is_file()
    }

    /// Makes the directory where there is none, and takes it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { action, path, source }
        };
        let absolute = std::path::absolute(path).map_err(io("find the directory", path))?;
        let path = absolute.as_path();
        if !path.is_dir() {
            let there = path.ancestors().find(|ancestor| ancestor.is_dir()).map(Path::to_owned);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(io("create the directory", path))?;
            // Each new entry stands in its parent, up to the one that was there.
            for parent in path.ancestors().skip(1) {
                sync(parent)?;
                if there.as_deref() == Some(parent) {
                    break;
                }
            }
        }
        let lock_path = path.join(LOCK_FILE);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(io("open the lock file", &lock_path))?;
        if let Err(error) = flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(io("lock", &lock_path)(error.into()));
            }
            let mut pid = String::new();
            let known = lock.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
            let pid = if known { pid.trim().to_owned() } else { "unknown".to_owned() };
            return Err(OpenError::AlreadyInUse { directory: path.to_owned(), pid });
        }
        // Written over what is there before it is cut: on a full disk there is no block for a file that was emptied.
        let write_pid = |lock: &mut File| {
            lock.seek(SeekFrom::Start(0))?;
            writeln!(lock, "{}", std::process::id())?;
            let end = lock.stream_position()?;
            lock.set_len(end)
        };
        write_pid(&mut lock).map_err(io("write the lock file", &lock_path))?;
        // Made here where there is none: conversations are nobody else's to read, whatever the directory's mode is.
        // SQLite takes an empty file, and gives the log the same mode.
        let database = path.join(DATABASE_FILE);
        let database = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&database)
            .map_err(io("open the database", &database))?;
        Ok(Self { path: path.to_owned(), database: Arc::new(database), _lock: lock })
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// The same, open.
    pub(crate) fn database_file(&self) -> Arc<File> {
        Arc::clone(&self.database)
    }

    /// The write-ahead log.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join(LOG_FILE)
    }

    /// What is kept for when the disk is full.
    pub(crate) fn reserve(&self) -> PathBuf {
        self.path.join(RESERVE_FILE)
    }

    /// Makes sure that files which were made in the directory are still there after a power failure.
    pub(crate) fn sync(&self) -> Result<(), OpenError> {
        sync(&self.path)
    }
}

fn sync(directory: &Path) -> Result<(), OpenError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|source| OpenError::Io {
        action: "sync the directory",
        path: directory.to_owned(),
        source,
    })
}
