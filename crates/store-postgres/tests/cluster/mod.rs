//! A PostgreSQL of a test's own, whose settings it may choose.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; stopped when dropped, its data gone with it.
pub(crate) struct Cluster {
    server: Child,
    /// Where it listens.
    pub(crate) port: u16,
    /// Where its data is, beside files of the test.
    pub(crate) folder: TempDir,
}

#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`cargo xtask test` says in {name} how PostgreSQL is run"))
}

/// A program of PostgreSQL, or another one, as the user that it may run as.
fn program(name: &Path) -> Command {
    let user = told("TEST_POSTGRES_AS");
    let mut words = user.split_whitespace().map(Path::new).chain([name]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn programs() -> PathBuf {
    told("TEST_POSTGRES_PROGRAMS").into()
}

impl Cluster {
    /// Starts one with `files` beside its data, which only it can read; settings name them with `{folder}`.
    pub(crate) fn start(files: &[(&str, &str)], settings: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        // Another user makes files in it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let data = folder.path().join("data");
        let made = program(&programs().join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(&data)
            .status();
        assert!(made.unwrap().success(), "initdb");
        for (name, text) in files {
            let mut write = program(Path::new("sh"))
                .args(["-c", "umask 077; cat > \"$0\""])
                .arg(folder.path().join(name))
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            write.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            assert!(write.wait().unwrap().success(), "{name}");
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = folder.path().to_str().unwrap();
        let mut server = program(&programs().join("postgres"));
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        let own = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
        for setting in own.iter().chain(settings) {
            server.args(["-c", &setting.replace("{folder}", place)]);
        }
        let server = server.spawn().unwrap();
        let mut cluster = Self { server, port, folder };
        let started = Instant::now();
        while !cluster.is_ready() {
            assert!(cluster.server.try_wait().unwrap().is_none(), "PostgreSQL ended");
            assert!(started.elapsed() < PATIENCE, "PostgreSQL is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        cluster
    }

    fn is_ready(&self) -> bool {
        let mut asked = Command::new(programs().join("pg_isready"));
        asked.args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()]);
        asked.status().unwrap().success()
    }

    /// Its database, by a name or address of this machine.
    pub(crate) fn url(&self, user: &str, host: &str) -> String {
        format!("postgres://{user}@{host}:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // At once, without waiting for connections: nobody asks for its data again.
        let pid = self.server.id().to_string();
        drop(Command::new("kill").args(["-QUIT", &pid]).status());
        drop(self.server.wait());
        // The data is of another user: as such it is removed.
        drop(program(Path::new("rm")).arg("-rf").arg(self.folder.path().join("data")).status());
    }
}
