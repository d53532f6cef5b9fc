//! The server as a child process: started on a free port, and killed.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::command;

const READY: &str = "listening on ";
const STOP_LIMIT: Duration = Duration::from_secs(30);
const START_LIMIT: Duration = Duration::from_secs(30);
/// How much of the log an error shows, in lines.
const LOG_LINES: usize = 20;

/// Flags of a server that is measured or stressed: it logs no requests.
pub(crate) const QUIET: [&str; 2] = ["--log-level", "warn"];

/// A running server, killed with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens, as a URL without a path.
    pub url: String,
    /// From the start of the process until it said that it listens.
    pub started_in: Duration,
}

impl Server {
    /// Starts `binary serve` on a free loopback port and waits until it listens. Its log goes to
    /// [`log_path`].
    pub(crate) fn start(binary: &Path, data: &Path, more: &[&str]) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(serve_arguments(data, more));
        Self::run(command, data)
    }

    /// The same by a command that becomes the server, given [`serve_arguments`].
    pub(crate) fn run(mut command: Command, data: &Path) -> Result<Self> {
        let log_path = log_path(data);
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let started = Instant::now();
        let program = PathBuf::from(command.get_program());
        let mut child = command
            // Its log shall say what went wrong, not where in the program.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let stdout = child.stdout.take();
        // From here on, an early return drops the server and so kills the child.
        let mut server = Self { child, url: String::new(), started_in: Duration::ZERO };
        let said = stdout.and_then(|stdout| first_url(stdout, START_LIMIT));
        let Some(url) = said else {
            let log = std::fs::read_to_string(&log_path).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n");
            bail!("{} did not say where it listens; the end of its log:\n{tail}", program.display());
        };
        server.url = url;
        server.started_in = started.elapsed();
        Ok(server)
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens, as a socket address.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        let authority = self.url.trim_start_matches("http://").trim_end_matches('/');
        authority
            .parse()
            .with_context(|| format!("the server listens on {:?}, which is no address", self.url))
    }

    /// Asks it to end, and waits until it has, in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        command::output(Command::new("kill").args(["-TERM", &pid]))?;
        let asked = Instant::now();
        loop {
            match self.child.try_wait().context("cannot wait for the server")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server ended with {status}"),
                None if asked.elapsed() > STOP_LIMIT => bail!("the server did not end when asked to"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill().context("cannot kill the server")?;
        self.child.wait().context("cannot wait for the server")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server is told: to serve `data` on a free loopback port, and `more`.
pub(crate) fn serve_arguments(data: &Path, more: &[&str]) -> Vec<OsString> {
    let fixed = ["serve", "--listen", "127.0.0.1:0", "--data-dir"].map(OsString::from);
    fixed.into_iter().chain([data.into()]).chain(more.iter().map(OsString::from)).collect()
}

/// Where the log of a server with its data in `data` goes: beside it.
pub(crate) fn log_path(data: &Path) -> PathBuf {
    data.with_file_name("server.log")
}

/// The URL in the line that says where the server listens; `None` when it ends or `limit` passes before.
fn first_url(stdout: ChildStdout, limit: Duration) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    // Reads on to the end, so that a full pipe can never stop the server.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix(READY) {
                // The receiver is gone after the first.
                let _ = sender.send(url.trim().to_owned());
            }
        }
    });
    receiver.recv_timeout(limit).ok()
}
