//! Room on the disk for deletes, kept for when nothing else is left.
//!
//! A delete is a write too, and the purge that follows it writes more before it frees anything. So a file keeps
//! some room that is ours. When the disk is full the file is emptied; from then on only what frees room is
//! written, and the log is copied into the database and cut. Once the disk has room for the file again, and for
//! something beside it, all is as before.
//!
//! The database file never shrinks: what deletes free is used again within it. So where the disk has no more
//! room than the file had, but the database has, writes go on in what is free in the database, over a reserve of
//! half the size: enough to begin again from here.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use colloquy_sessions::store::StoreError;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// How much there must be beside the reserve for writes to go on, on the disk or in the database.
const BESIDE_BYTES: u64 = 1 << 20;

/// What there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Everything.
    Plenty,
    /// What fits into the database as it is.
    Lean,
    /// What frees room.
    Full,
}

/// The file, shared by those who find the disk full and those who find room.
#[derive(Clone, Debug)]
pub(crate) struct Reserve(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    bytes: u64,
    room: Mutex<Room>,
}

impl Reserve {
    /// A reserve of so many bytes, not taken yet: what an earlier server left is given up, so that a full disk
    /// does not keep the database from being opened. One of no bytes always has plenty of room.
    pub(crate) fn new(path: PathBuf, bytes: u64) -> std::io::Result<Self> {
        if path.try_exists()? {
            OpenOptions::new().write(true).truncate(true).open(&path)?;
        }
        let room = if bytes == 0 { Room::Plenty } else { Room::Full };
        Ok(Self(Arc::new(Inner { path, bytes, room: Mutex::new(room) })))
    }

    /// What there is room for.
    pub(crate) fn room(&self) -> Room {
        *self.lock()
    }

    /// The refusal of what does not free room, when there is none.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.room() {
            Room::Plenty | Room::Lean => Ok(()),
            Room::Full => {
                let text = "the disk is full: until there is room again, only deletes are written";
                Err(StoreError::OutOfSpace(text.to_owned()))
            }
        }
    }

    /// The disk is full: whether that gave it any room.
    pub(crate) fn give_up(&self) -> bool {
        let mut room = self.lock();
        if *room == Room::Full || self.0.bytes == 0 {
            return false;
        }
        *room = Room::Full;
        tracing::error!(
            reserve_bytes = self.0.bytes,
            "the disk is full; the reserve is given up, and only deletes are written until there is room again"
        );
        let emptied = OpenOptions::new().write(true).truncate(true).open(&self.0.path);
        if let Err(error) = &emptied {
            tracing::error!(%error, "the reserve could not be given up");
        }
        emptied.is_ok()
    }

    /// Takes as much of the reserve as there is room for, while the database itself has `free_bytes` to use.
    pub(crate) fn take(&self, free_bytes: u64) {
        let mut room = self.lock();
        let before = *room;
        let held = match before {
            Room::Plenty => return,
            Room::Lean => self.0.bytes / 2,
            Room::Full => 0,
        };
        *room = if self.allocate(held, self.0.bytes) {
            Room::Plenty
        } else if before == Room::Full && free_bytes >= BESIDE_BYTES && self.allocate(0, self.0.bytes / 2) {
            Room::Lean
        } else {
            before
        };
        if *room != before {
            tracing::info!(room = ?*room, "there is room on the disk again");
        }
    }

    /// Makes the file longer, if there is room for that and for something beside it.
    fn allocate(&self, held: u64, bytes: u64) -> bool {
        let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.0.path);
        let allocated = open.and_then(|mut file| {
            let tried = fill(&mut file, bytes + BESIDE_BYTES);
            // What is beside it, or was taken in vain, is given back.
            file.set_len(if tried.is_ok() { bytes } else { held })?;
            tried
        });
        match allocated {
            Ok(()) => true,
            Err(error) => {
                if error.kind() != ErrorKind::StorageFull {
                    tracing::warn!(%error, "the reserve on the disk cannot be taken");
                }
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a file blocks for so many bytes.
fn fill(file: &mut File, bytes: u64) -> std::io::Result<()> {
    match fallocate(&*file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            std::io::copy(&mut std::io::repeat(0).take(bytes), file).map(drop)
        }
        done => Ok(done?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(reserve: &Reserve) -> u64 {
        std::fs::metadata(&reserve.0.path).map_or(0, |file| file.len())
    }

    #[test]
    fn it_is_given_up_and_taken_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("reserve");
        let reserve = Reserve::new(path.clone(), 4 << 20).unwrap();
        assert!(reserve.check().is_err());
        reserve.take(0);
        assert_eq!((reserve.room(), length(&reserve)), (Room::Plenty, 4 << 20));
        assert!(reserve.check().is_ok());
        assert!(reserve.give_up());
        assert_eq!((reserve.room(), length(&reserve)), (Room::Full, 0));
        assert!(!reserve.give_up(), "there is nothing left to give");
        reserve.take(0);
        assert_eq!(length(&reserve), 4 << 20);
        // The next server begins with all that there is.
        let next = Reserve::new(path, 4 << 20).unwrap();
        assert_eq!((next.room(), length(&next)), (Room::Full, 0));
    }

    #[test]
    fn a_disk_without_room_is_full_and_keeps_nothing_of_what_was_tried() {
        let directory = tempfile::tempdir().unwrap();
        // More than any disk has: all of it cannot be taken, and neither can half of it.
        let reserve = Reserve::new(directory.path().join("reserve"), 1 << 61).unwrap();
        reserve.take(1 << 30);
        assert_eq!((reserve.room(), length(&reserve)), (Room::Full, 0));
    }

    #[test]
    fn none_has_always_plenty() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(directory.path().join("reserve"), 0).unwrap();
        assert_eq!(reserve.room(), Room::Plenty);
        assert!(!reserve.give_up());
        assert_eq!(reserve.room(), Room::Plenty);
        assert_eq!(length(&reserve), 0);
    }
}
