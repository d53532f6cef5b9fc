//! Blocks on the disk for what a commit adds to the database, taken before the commit.
//!
//! A commit writes to the log alone; its pages come into the database later. A disk that is full by then would
//! leave the log as it is, with all the room that it takes, and what is kept for deletes would go into trying. So
//! whatever is in the log can be copied, and the log's own room be given back.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::ffi;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Taken at a time, where there is room for so much.
const PIECE: u64 = 1 << 20;

/// Counts the beginnings and ends of copies of the log: each may give back blocks behind the database's end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copies(Arc<AtomicU64>);

impl Copies {
    /// One begins or ends.
    pub(crate) fn turn(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The blocks of the database file.
#[derive(Debug)]
pub(crate) struct Blocks {
    file: Arc<File>,
    page_bytes: u64,
    copies: Copies,
    /// How far there are blocks, as of so many beginnings and ends of copies.
    taken: u64,
    as_of: u64,
    supported: bool,
}

impl Blocks {
    /// Of `file`, which must not be closed while SQLite has it open: that would give up SQLite's locks.
    pub(crate) fn new(file: Arc<File>, page_bytes: u64, copies: Copies) -> Self {
        Self { file, page_bytes, copies, taken: 0, as_of: 0, supported: true }
    }

    /// Makes sure of blocks for a database of `pages`.
    pub(crate) fn take(&mut self, pages: u64) -> rusqlite::Result<()> {
        let bytes = pages.saturating_mul(self.page_bytes);
        let copies = self.copies.count();
        // During a copy nothing is sure for longer than a moment.
        let is_sure = copies == self.as_of && copies.is_multiple_of(2);
        if !self.supported || (is_sure && bytes <= self.taken) {
            return Ok(());
        }
        // What the file has grown to has its blocks.
        let length = self.file.metadata().map_err(|error| failed(&error))?.len();
        if bytes > length {
            let with_piece = bytes.checked_next_multiple_of(PIECE).unwrap_or(bytes);
            let taken = self.allocate(length, with_piece).map(|()| with_piece);
            self.taken = match taken {
                Err(Errno::NOSPC | Errno::DQUOT) => self.allocate(length, bytes).map(|()| bytes),
                other => other,
            }
            .map_err(|error| failed(&error.into()))?;
        } else {
            self.taken = length;
        }
        self.as_of = copies;
        Ok(())
    }

    fn allocate(&mut self, from: u64, to: u64) -> Result<(), Errno> {
        loop {
            match fallocate(&*self.file, FallocateFlags::KEEP_SIZE, from, to - from) {
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                    tracing::debug!("this filesystem gives no blocks in advance");
                    self.supported = false;
                    return Ok(());
                }
                done => return done,
            }
        }
    }
}

/// As SQLite would say it.
fn failed(error: &std::io::Error) -> rusqlite::Error {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ffi::SQLITE_FULL,
        _ => ffi::SQLITE_IOERR_WRITE,
    };
    let text = format!("taking room for the database: {error}");
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn they_are_there_before_the_file_is_longer() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let blocks_of = |file: &File| file.metadata().unwrap().blocks() * 512;
        let copies = Copies::default();
        let mut blocks = Blocks::new(Arc::clone(&file), 1 << 10, copies.clone());
        blocks.take(3 << 10).unwrap();
        if !blocks.supported {
            return;
        }
        assert_eq!(file.metadata().unwrap().len(), 0);
        assert!(blocks_of(&file) >= 3 << 20);
        // A copy cuts the file to its length, which gives them back.
        copies.turn();
        file.set_len(0).unwrap();
        copies.turn();
        blocks.take(2 << 10).unwrap();
        assert!(blocks_of(&file) >= 2 << 20);
        // During one, they are taken each time.
        copies.turn();
        blocks.take(2 << 10).unwrap();
        file.set_len(0).unwrap();
        blocks.take(2 << 10).unwrap();
        assert!(blocks_of(&file) >= 2 << 20);
    }

    #[test]
    fn a_disk_without_room_is_full_as_sqlite_says_it() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let mut blocks = Blocks::new(file, 1 << 10, Copies::default());
        let error = blocks.take(1 << 51).unwrap_err();
        let code = error.sqlite_error_code();
        // Some filesystems have no files of this size, which is another matter.
        assert!(
            matches!(code, Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure)),
            "{error}"
        );
    }
}
