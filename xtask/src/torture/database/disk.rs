//! A disk that can be full, under the data of a server.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;
use crate::torture::disk::mount::Mount;

/// More than a run writes; it takes memory only for what is written.
const SIZE_MIB: u32 = 2048;

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
        let said = command::output(Command::new("df").args(["--output=used", "-k"]).arg(&self.0.path))?;
        let used: Option<u64> = said.lines().nth(1).and_then(|line| line.trim().parse().ok());
        let Some(used) = used.filter(|used| *used > 0) else { bail!("df answers {said:?}") };
        self.0.remount(&format!("size={used}k"))
    }

    /// Gives it room again.
    pub(crate) fn free(&self) -> Result<()> {
        self.0.remount(&format!("size={SIZE_MIB}m"))
    }
}
