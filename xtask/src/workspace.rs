//! Where the workspace is, and the server that it builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command;

/// The folders of this workspace, as cargo sees them.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Where build output goes, and all that these tasks install or write.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo, which knows about `CARGO_TARGET_DIR` and its own configuration.
    pub(crate) fn find() -> Result<Self> {
        let text =
            command::output(Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` did not answer JSON")?;
        let folder = |field: &str| {
            let path = metadata.get(field).and_then(Value::as_str);
            path.map(PathBuf::from).with_context(|| format!("`cargo metadata` did not name its {field}"))
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// `cargo ARGS` in the root of the workspace.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(args).current_dir(&self.root);
        cargo
    }

    /// The server to test: `chosen` if given, otherwise the release build, brought up to date first.
    pub(crate) fn server_binary(&self, chosen: Option<&Path>) -> Result<PathBuf> {
        if let Some(path) = chosen {
            return path.canonicalize().with_context(|| format!("there is no server at {}", path.display()));
        }
        command::run(&mut self.cargo(&["build", "--release", "--package", "colloquy"]))?;
        let name = format!("colloquy{}", std::env::consts::EXE_SUFFIX);
        Ok(self.target.join("release").join(name))
    }

    /// An empty folder for one task's data, on the disk that builds go to: a temporary folder may be in memory.
    pub(crate) fn scratch(&self, task: &str) -> Result<Scratch> {
        let path = self.target.join("xtask").join(format!("{task}-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Scratch { path })
    }
}

/// A folder that goes with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Where it is.
    pub path: PathBuf,
}

impl Scratch {
    /// Leaves the folder in place, for somebody to look at, and says where.
    pub(crate) fn keep(self) -> PathBuf {
        let path = self.path.clone();
        std::mem::forget(self);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}
