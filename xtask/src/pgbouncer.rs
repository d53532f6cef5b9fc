//! A PgBouncer in transaction mode before the PostgreSQL of tests: found or installed, started on a free port, stopped
//! at the end.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::debian;
use crate::postgres::Postgres;
use crate::workspace::{Scratch, Workspace};

/// Beside the folders of the PATH, where Debian puts it.
const DEBIAN: &str = "/usr/sbin";
const PROGRAM: &str = "pgbouncer";

/// A variable that tests read.
const URL: &str = "TEST_PGBOUNCER_URL";

/// A running PgBouncer, stopped with this value.
#[derive(Debug)]
pub(crate) struct PgBouncer {
    server: Child,
    port: u16,
    _folder: Scratch,
}

impl PgBouncer {
    /// Starts one before a PostgreSQL.
    ///
    /// # Errors
    /// Where there is none and none can be installed, or it does not start.
    pub(crate) fn start(workspace: &Workspace, postgres: &Postgres) -> Result<Self> {
        let program = find_or_install()?;
        let folder = postgres.scratch(workspace, PROGRAM)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = |name: &str| folder.path.join(name);
        let write = |name: &str, text: &str| {
            std::fs::write(file(name), text).with_context(|| format!("cannot write {}", file(name).display()))
        };
        write("users", "\"postgres\" \"\"\n")?;
        // The defaults but for what a test needs: clients share few connections, so that they do meet on them.
        let settings = format!(
            "[databases]\n\
             * = host=127.0.0.1 port={}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = trust\n\
             auth_file = {}\n\
             pool_mode = transaction\n\
             default_pool_size = 8\n\
             max_client_conn = 500\n",
            postgres.port(),
            file("users").display()
        );
        write("pgbouncer.ini", &settings)?;
        let log_path = file("log");
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let server = postgres
            .as_its_user(&program)
            .arg("--quiet")
            .arg(file("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start PgBouncer")?;
        let mut pooler = Self { server, port, _folder: folder };
        if let Err(error) = postgres.wait_for(&mut pooler.server, port) {
            let log = std::fs::read_to_string(&log_path).unwrap_or_default();
            return Err(error.context(format!("PgBouncer did not start; its log:\n{log}")));
        }
        println!("PgBouncer: {}", pooler.url());
        Ok(pooler)
    }

    /// The database behind it, as a server must be told of it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?pgbouncer=true", self.port)
    }

    /// Tells a program of the database.
    pub(crate) fn tell<'c>(&self, program: &'c mut Command) -> &'c mut Command {
        program.env(URL, self.url())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It holds nothing that it could lose; both fail only when it is gone already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if debian::can_install() {
        debian::install(&[PROGRAM])?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    bail!("there is no PgBouncer to test with: install it")
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([Path::new(DEBIAN).to_owned()]);
    folders.map(|folder| folder.join(PROGRAM)).find(|program| program.is_file())
}
