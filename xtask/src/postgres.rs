//! A PostgreSQL of its own for tests: found or installed, started on a free port, stopped at the end.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::pgbouncer::PgBouncer;
use crate::workspace::{Scratch, Workspace};
use crate::{command, debian};

/// Where Debian puts the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Users that PostgreSQL may run as where it would run as root, which it refuses.
const USERS: [&str; 2] = ["postgres", "nobody"];
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Variables that tests read.
const URL: &str = "TEST_DATABASE_URL";

/// A running PostgreSQL, stopped with this value, its data gone with it.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Child,
    programs: PathBuf,
    /// Whom it runs as, where that is not who runs this.
    user: Option<(&'static str, &'static str)>,
    port: u16,
    /// How many databases were made in it.
    databases: AtomicU32,
    _data: Scratch,
}

impl Postgres {
    /// Starts one with an empty database.
    ///
    /// # Errors
    /// Where there is none and none can be installed, or it does not start.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let programs = find_or_install()?;
        let user = if is_root()? { Some(unprivileged()?) } else { None };
        let data = scratch(workspace, "postgres", user)?;
        let cluster = data.path.join("data");
        let mut initdb = as_user(user, &programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        command::output(initdb.arg("--pgdata").arg(&cluster))?;
        // Free now; whoever takes it before PostgreSQL does makes the start fail, not the tests.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log_path = data.path.join("log");
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut server = as_user(user, &programs.join("postgres"));
        server.arg("-D").arg(&cluster).args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"] {
            server.args(["-c", setting]);
        }
        let server = server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start PostgreSQL")?;
        let mut postgres = Self { server, programs, user, port, databases: AtomicU32::new(0), _data: data };
        if let Err(error) = wait_until_ready(&mut postgres.server, &postgres.programs, port) {
            let log = std::fs::read_to_string(&log_path).unwrap_or_default();
            return Err(error.context(format!("PostgreSQL did not start; its log:\n{log}")));
        }
        println!("PostgreSQL: {}", postgres.url());
        Ok(postgres)
    }

    /// Its database, as tests want it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Tells a program of the database, and where its tools are.
    pub(crate) fn tell<'c>(&self, program: &'c mut Command) -> &'c mut Command {
        let own = self.as_its_user(Path::new(""));
        let words = [own.get_program()].into_iter().chain(own.get_args());
        let words: Vec<_> =
            words.filter(|word| !word.is_empty()).map(|word| word.to_string_lossy()).collect();
        program
            .env(URL, self.url())
            .env("TEST_PSQL", self.programs.join("psql"))
            .env("TEST_POSTGRES_PROGRAMS", &self.programs)
            .env("TEST_POSTGRES_AS", words.join(" "))
    }

    /// The URL of a new, empty database in it.
    pub(crate) fn new_database(&self) -> Result<String> {
        let name = format!("rows_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        command::output(Command::new(self.programs.join("createdb")).args([
            "--maintenance-db",
            &self.url(),
            &name,
        ]))?;
        Ok(format!("postgres://postgres@127.0.0.1:{}/{name}", self.port))
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A program that runs as it does: not as root.
    pub(crate) fn as_its_user(&self, program: &Path) -> Command {
        as_user(self.user, program)
    }

    /// A folder for one task's data that such a program can write to.
    pub(crate) fn scratch(&self, workspace: &Workspace, task: &str) -> Result<Scratch> {
        scratch(workspace, task, self.user)
    }

    /// Waits until a server takes connections.
    pub(crate) fn wait_for(&self, server: &mut Child, port: u16) -> Result<()> {
        wait_until_ready(server, &self.programs, port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // An interrupt ends it in order, and its connections with it.
        let pid = self.server.id().to_string();
        if let Err(error) = command::output(Command::new("kill").args(["-INT", &pid])) {
            eprintln!("cannot stop PostgreSQL: {error:#}");
        }
        let asked = Instant::now();
        while asked.elapsed() < STOP_LIMIT {
            if !matches!(self.server.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Both fail only when it is gone already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Waits until a server takes connections.
fn wait_until_ready(server: &mut Child, programs: &Path, port: u16) -> Result<()> {
    let started = Instant::now();
    let port = port.to_string();
    loop {
        if let Some(status) = server.try_wait()? {
            bail!("it ended with {status}");
        }
        let asked = Command::new(programs.join("pg_isready"))
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

/// Runs a program with a PostgreSQL to test with, and a PgBouncer before it.
pub(crate) fn run(workspace: &Workspace, words: &[std::ffi::OsString]) -> Result<()> {
    let Some((program, arguments)) = words.split_first() else { bail!("no program was named") };
    let postgres = Postgres::start(workspace)?;
    let pooler = PgBouncer::start(workspace, &postgres)?;
    command::run(pooler.tell(postgres.tell(Command::new(program).args(arguments))))
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
    bail!(
        "there is no PostgreSQL to test with: install it, with initdb, postgres, pg_isready, psql and createdb in the PATH"
    )
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
    all.into_iter().find(|folder| {
        ["initdb", "postgres", "pg_isready", "psql", "createdb"]
            .iter()
            .all(|name| folder.join(name).is_file())
    })
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

/// A folder that the user can write to.
fn scratch(workspace: &Workspace, task: &str, user: Option<(&str, &str)>) -> Result<Scratch> {
    let data = workspace.scratch(task)?;
    let Some((name, group)) = user else { return Ok(data) };
    command::output(Command::new("chown").arg(format!("{name}:{group}")).arg(&data.path))?;
    let writes = as_user(user, Path::new("test")).arg("-w").arg(&data.path).status();
    if !writes.is_ok_and(|status| status.success()) {
        bail!("{name} cannot get to {}: let others pass through its parents", data.path.display());
    }
    Ok(data)
}
