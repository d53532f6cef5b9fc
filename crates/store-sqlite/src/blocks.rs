//! Blocks on the disk for what a commit adds to the database, taken before the commit.
//!
//! A commit writes to the log alone; its pages come into the database later. A disk that is full by then would
//! leave the log as it is, with all the room that it takes, and what is kept for deletes would go into trying. So
//! whatever is in the log can be copied, and the log's own room be given back.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use rusqlite::ffi;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Taken at a time, where there is room for so much.
const PIECE: u64 = 2 << 20;

/// The blocks of the database file.
#[derive(Debug)]
pub(crate) struct Blocks {
    file: Arc<File>,
    page_bytes: u64,
    /// How far there are blocks, while the file has no fewer than it had then: whoever copies the log cuts the file
    /// to its length, which gives back those behind it.
    taken: u64,
    then: u64,
    supported: bool,
}

impl Blocks {
    /// Of `file`, which must not be closed while SQLite has it open: that would give up SQLite's locks.
    pub(crate) fn new(file: Arc<File>, page_bytes: u64) -> Self {
        Self { file, page_bytes, taken: 0, then: 0, supported: true }
    }

    /// Makes sure of blocks for a database of `pages`.
    pub(crate) fn take(&mut self, pages: u64) -> rusqlite::Result<()> {
        if !self.supported {
            return Ok(());
        }
        let bytes = pages.saturating_mul(self.page_bytes);
        let now = self.file.metadata().map_err(|error| failed(&error))?;
        // What the file has grown to has its blocks.
        if bytes <= now.len() || (bytes <= self.taken && now.blocks() >= self.then) {
            return Ok(());
        }
        let with_piece = bytes.checked_next_multiple_of(PIECE).unwrap_or(bytes);
        let taken = match self.allocate(now.len(), with_piece) {
            Err(Errno::NOSPC | Errno::DQUOT) => self.allocate(now.len(), bytes).map(|()| bytes),
            done => done.map(|()| with_piece),
        };
        self.taken = taken.map_err(|error| failed(&error.into()))?;
        self.then = self.file.metadata().map_err(|error| failed(&error))?.blocks();
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
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn they_are_there_before_the_file_is_longer() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let bytes = |file: &File| file.metadata().unwrap().blocks() * 512;
        let mut blocks = Blocks::new(Arc::clone(&file), 1 << 10);
        blocks.take(3 << 10).unwrap();
        if !blocks.supported {
            return;
        }
        assert_eq!(file.metadata().unwrap().len(), 0);
        assert!(bytes(&file) >= 3 << 20);
        // Who copies the log makes the file longer, and cuts it to its length.
        file.write_all_at(&[1; 4096], 0).unwrap();
        blocks.take(3 << 10).unwrap();
        assert!(bytes(&file) >= 3 << 20);
        file.set_len(4096).unwrap();
        assert!(bytes(&file) < 1 << 20);
        blocks.take(2 << 10).unwrap();
        assert!(bytes(&file) >= 2 << 20);
    }

    #[test]
    fn a_disk_without_room_is_full_as_sqlite_says_it() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let mut blocks = Blocks::new(file, 1 << 10);
        let error = blocks.take(1 << 51).unwrap_err();
        let code = error.sqlite_error_code();
        // Some filesystems have no files of this size, which is another matter.
        assert!(
            matches!(code, Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure)),
            "{error}"
        );
    }
}
