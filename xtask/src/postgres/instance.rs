//! One PostgreSQL server: made new or as a standby of another, started, stopped, paused, killed and started again.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::admin::Admin;
use super::programs::Programs;
use crate::command;

const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How much of the log an error shows, in lines.
const LOG_LINES: usize = 20;

/// Where a server keeps its data. None of the folders is there before.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The data directory.
    pub cluster: PathBuf,
    /// The write-ahead log, where it is not among the data.
    pub wal: Option<PathBuf>,
    /// What the server says.
    pub log: PathBuf,
}

/// A server, which ends with this value.
#[derive(Debug)]
pub(crate) struct Instance {
    programs: Programs,
    place: Place,
    port: u16,
    settings: Vec<String>,
    server: Option<Child>,
}

impl Instance {
    /// Starts a server with an empty database.
    ///
    /// # Errors
    /// When it does not start; the error shows the end of its log.
    pub(crate) fn start_new(programs: &Programs, place: Place, settings: &[&str]) -> Result<Self> {
        let mut initdb = programs.command("initdb");
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        if let Some(wal) = &place.wal {
            initdb.arg("--waldir").arg(wal);
        }
        command::output(initdb.arg("--pgdata").arg(&place.cluster))?;
        Self::start_at(programs, place, settings)
    }

    /// Starts a standby that streams from this server.
    ///
    /// # Errors
    /// As [`Self::start_new`].
    pub(crate) fn start_standby(&self, place: Place) -> Result<Self> {
        let mut copy = self.programs.command("pg_basebackup");
        copy.args(["--host=127.0.0.1", "--username=postgres", "--port", &self.port.to_string()]);
        copy.args(["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync"]);
        if let Some(wal) = &place.wal {
            copy.arg("--waldir").arg(wal);
        }
        command::output(copy.arg("--pgdata").arg(&place.cluster))?;
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        Self::start_at(&self.programs, place, &settings)
    }

    fn start_at(programs: &Programs, place: Place, settings: &[&str]) -> Result<Self> {
        // Free now; whoever takes it before PostgreSQL does makes the start fail, not the tests.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut instance = Self { programs: programs.clone(), place, port, settings, server: None };
        instance.start()?;
        Ok(instance)
    }

    /// Starts it where it is not running, and waits until it takes connections.
    ///
    /// # Errors
    /// As [`Self::start_new`].
    pub(crate) fn start(&mut self) -> Result<()> {
        let path = &self.place.log;
        let log = OpenOptions::new().create(true).append(true).open(path);
        let log = log.with_context(|| format!("cannot write {}", path.display()))?;
        let mut server = self.programs.command("postgres");
        server.arg("-D").arg(&self.place.cluster).args(["-p", &self.port.to_string()]);
        let own = ["listen_addresses=127.0.0.1", "unix_socket_directories="];
        for setting in own.into_iter().chain(self.settings.iter().map(String::as_str)) {
            server.args(["-c", setting]);
        }
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let server = self.server.insert(server.context("cannot start PostgreSQL")?);
        self.programs.wait_for(server, self.port).map_err(|error| {
            let log = std::fs::read_to_string(&self.place.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n");
            error.context(format!("PostgreSQL did not start; the end of its log:\n{tail}"))
        })
    }

    /// Its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The port that it listens on, after a restart too.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The programs that it runs with.
    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A connection for those who look after it.
    pub(crate) fn admin(&self) -> Result<Admin> {
        Admin::connect(&self.url())
    }

    /// Whether the server's process is there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(|server| matches!(server.try_wait(), Ok(None)))
    }

    /// Ends it without a word to anybody and without a checkpoint, as `pg_ctl stop -m immediate` does.
    ///
    /// # Errors
    /// When it does not end.
    pub(crate) fn stop_immediately(&mut self) -> Result<()> {
        self.stop("QUIT")
    }

    /// Stops all of its processes where they are, until [`Self::resume`].
    ///
    /// # Errors
    /// When it is not running.
    pub(crate) fn pause(&self) -> Result<()> {
        // The first, or it would go on to start others.
        let server = self.id()?;
        signal("STOP", &[server])?;
        signal("STOP", &children(server)?)
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// When it is not running.
    pub(crate) fn resume(&self) -> Result<()> {
        let server = self.id()?;
        signal("CONT", &children(server)?)?;
        signal("CONT", &[server])
    }

    /// Kills all of its processes at once, as the loss of its machine does.
    ///
    /// # Errors
    /// When it is not running.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.pause()?;
        let children = children(self.id()?)?;
        signal("KILL", &children)?;
        if let Some(mut server) = self.server.take() {
            server.kill().context("cannot kill PostgreSQL")?;
            server.wait().context("cannot wait for PostgreSQL")?;
        }
        Ok(())
    }

    fn id(&self) -> Result<u32> {
        self.server.as_ref().map(Child::id).context("PostgreSQL is not running")
    }

    fn stop(&mut self, name: &str) -> Result<()> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        if matches!(server.try_wait(), Ok(Some(_))) {
            return Ok(());
        }
        signal(name, &[server.id()])?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_LIMIT {
            if server.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        server.kill()?;
        server.wait()?;
        bail!("PostgreSQL did not end within {} s and was killed", STOP_LIMIT.as_secs())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // An interrupt ends it in order, and its connections with it.
        if let Err(error) = self.stop("INT") {
            eprintln!("cannot stop PostgreSQL: {error:#}");
        }
    }
}

/// Sends a signal; who has ended meanwhile gets none.
fn signal(name: &str, processes: &[u32]) -> Result<()> {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).args(processes.iter().map(u32::to_string)).stderr(Stdio::null());
    // It fails when one of many is gone, although the others got theirs.
    kill.status().map(drop).context("cannot run kill")
}

/// The processes that a process started, by Linux's `/proc`.
fn children(parent: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").context("cannot read /proc")?.filter_map(Result::ok) {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Who ends while this looks has no file any more.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if parent_of(&stat) == Some(parent) {
            found.push(id);
        }
    }
    Ok(found)
}

/// Field 4 of proc_pid_stat(5). The name in field 2 may hold spaces and parentheses.
fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_after_the_name() {
        assert_eq!(parent_of("4217 (a ) 9 b) S 17 4217 4217 0 -1"), Some(17));
        assert_eq!(parent_of("4217 (a)"), None);
    }
}
