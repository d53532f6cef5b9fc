//! PostgreSQL's programs: found or installed, and run as somebody who may run them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Scratch, Workspace};
use crate::{command, debian};

/// Where Debian puts the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Users that PostgreSQL may run as where it would run as root, which it refuses.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// What must be there.
const NEEDED: [&str; 6] = ["initdb", "postgres", "pg_basebackup", "pg_isready", "psql", "createdb"];

/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A user with its group.
type User = (&'static str, &'static str);

/// The programs of one version.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    user: Option<User>,
}

impl Programs {
    /// The newest that are here, installed where they are missing and can be.
    pub(crate) fn find_or_install() -> Result<Self> {
        let folder = find_or_install()?;
        let user = if is_root()? { Some(unprivileged()?) } else { None };
        Ok(Self { folder, user })
    }

    /// Where one of them is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where all of them are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs one of them, as the user that PostgreSQL runs as.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.as_their_user(&self.path(name))
    }

    /// Runs another program as that user.
    pub(crate) fn as_their_user(&self, program: &Path) -> Command {
        as_user(self.user, program)
    }

    /// Waits until a server takes connections.
    pub(crate) fn wait_for(&self, server: &mut Child, port: u16) -> Result<()> {
        let started = Instant::now();
        let port = port.to_string();
        loop {
            if let Some(status) = server.try_wait()? {
                bail!("it ended with {status}");
            }
            let asked = Command::new(self.path("pg_isready"))
                .args(["--quiet", "--host=127.0.0.1", "--port", &port])
                .status()
                .context("cannot run pg_isready")?;
            if asked.success() {
                return Ok(());
            }
            if started.elapsed() > START_LIMIT {
                bail!("it was not ready after {} s", START_LIMIT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A folder that this user can write to.
    pub(crate) fn scratch(&self, workspace: &Workspace, task: &str) -> Result<Scratch> {
        let data = workspace.scratch(task)?;
        self.hand_over(&data.path)?;
        let Some((name, _)) = self.user else { return Ok(data) };
        let writes = as_user(self.user, Path::new("test")).arg("-w").arg(&data.path).status();
        if !writes.is_ok_and(|status| status.success()) {
            bail!("{name} cannot get to {}: let others pass through its parents", data.path.display());
        }
        Ok(data)
    }

    /// Makes a folder this user's own.
    pub(crate) fn hand_over(&self, folder: &Path) -> Result<()> {
        let Some((name, group)) = self.user else { return Ok(()) };
        command::output(Command::new("chown").arg(format!("{name}:{group}")).arg(folder)).map(drop)
    }
}

/// The folder of the programs, which are installed where they are missing and can be.
fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if debian::can_install() {
        debian::install(&["postgresql"])?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    bail!("there is no PostgreSQL to test with: install it, with {} in the PATH", NEEDED.join(", "))
}

fn find() -> Option<PathBuf> {
    let version = |path: &PathBuf| -> u32 {
        path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse().ok()).unwrap_or(0)
    };
    let entries = std::fs::read_dir(DEBIAN).into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    versions.sort_unstable_by_key(version);
    let debian = versions.into_iter().rev().map(|path| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = debian.chain(std::env::split_paths(&path));
    all.into_iter().find(|folder| NEEDED.iter().all(|name| folder.join(name).is_file()))
}

fn is_root() -> Result<bool> {
    Ok(command::output(Command::new("id").arg("-u"))?.trim() == "0")
}

/// A user to run as, with its group.
fn unprivileged() -> Result<(&'static str, &'static str)> {
    let exists = |kind: &str, name: &str| {
        let asked = Command::new("getent").args([kind, name]).stdout(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let user = USERS.into_iter().find(|user| exists("passwd", user));
    let group = user.and_then(|user| [user, "nogroup"].into_iter().find(|group| exists("group", group)));
    if let (Some(user), Some(group)) = (user, group) {
        return Ok((user, group));
    }
    bail!("PostgreSQL does not run as root, and there is no user {} here", USERS.join(" or "))
}

fn as_user(user: Option<(&str, &str)>, program: &Path) -> Command {
    let Some((user, group)) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups").arg(program);
    command
}
