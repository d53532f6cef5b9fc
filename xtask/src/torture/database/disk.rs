//! A disk that can be full, under the data of a server.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;
use crate::torture::disk::mount::Mount;

/// More than a run writes; it takes memory only for what is written.
const SIZE_MIB: u32 = 2048;

/// What is left for what is written while the room is taken, and how often that is tried.
const MARGIN_KIB: u64 = 128;
const TRIES: u32 = 20;

/// A mounted file system, gone with this value.
#[derive(Debug)]
pub(crate) struct Disk(Mount);

impl Disk {
    /// Mounts one at `path`.
    ///
    /// # Errors
    /// Where that is not allowed.
    pub(crate) fn mount(path: &Path) -> Result<Self> {
        Mount::new(path, SIZE_MIB).map(Self)
    }

    /// Leaves no room.
    pub(crate) fn fill(&self) -> Result<()> {
        // What is written meanwhile may be more than what is to be all of it.
        let mut tried = 0;
        loop {
            let filled = self.0.remount(&format!("size={}k", self.used()? + MARGIN_KIB));
            tried += 1;
            if filled.is_ok() || tried == TRIES {
                return filled;
            }
        }
    }

    fn used(&self) -> Result<u64> {
        let said = command::output(Command::new("df").args(["--output=used", "-k"]).arg(&self.0.path))?;
        let used: Option<u64> = said.lines().nth(1).and_then(|line| line.trim().parse().ok());
        let Some(used) = used.filter(|used| *used > 0) else { bail!("df answers {said:?}") };
        Ok(used)
    }

    /// Gives it room again.
    pub(crate) fn free(&self) -> Result<()> {
        self.0.remount(&format!("size={SIZE_MIB}m"))
    }
}
