//! A small filesystem in memory, mounted.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::command;

/// A mounted filesystem; it is gone with this value, and what is in it.
#[derive(Debug)]
pub(in crate::torture) struct Mount {
    /// Where it is.
    pub path: PathBuf,
}

impl Mount {
    /// Mounts one of so many MiB at `path`, which is made.
    ///
    /// # Errors
    /// Where mounting is not allowed: it takes root.
    pub(in crate::torture) fn new(path: &Path, mebibytes: u32) -> Result<Self> {
        std::fs::create_dir(path).with_context(|| format!("cannot make {}", path.display()))?;
        let size = format!("size={mebibytes}m,mode=700");
        command::output(
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "colloquy-torture"]).arg(path),
        )
        .context("a small disk cannot be mounted: run this as root, where mounting is allowed")?;
        Ok(Self { path: path.to_owned() })
    }

    /// Forbids or allows writing; only while nobody has a file open for writing.
    pub(in crate::torture) fn remount(&self, mode: &str) -> Result<()> {
        let options = format!("remount,{mode}");
        command::output(Command::new("mount").args(["-o", &options]).arg(&self.path)).map(drop)
    }

    /// Takes what room is left, in a file of its own; whether there was any.
    pub(in crate::torture) fn fill(&self) -> Result<bool> {
        use std::io::Write as _;
        let path = self.filler();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
        let before = file.metadata()?.len();
        loop {
            match file.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                Err(error) => bail!("cannot fill the disk: {error}"),
            }
        }
        Ok(file.metadata()?.len() > before)
    }

    /// Gives back what was taken.
    pub(in crate::torture) fn empty(&self) -> Result<()> {
        std::fs::remove_file(self.filler()).context("cannot remove what fills the disk")
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A server that was killed may need a moment to let go of its files; the mount then goes with the last one.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.path).stdin(Stdio::null()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("cannot unmount {}", self.path.display());
        }
    }
}
