//! The storage engines by themselves: what is left for a server to add, and what it can hope for.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::database::Databases;
use super::figures::Sample;
use crate::command;
use crate::workspace::{Scratch, Workspace};

const EXAMPLE: &str = "bare_group_commit";
const TABLE: &str = include_str!("bare/table.psql");
const INSERT: &str = include_str!("bare/insert.pgbench");

/// SQLite with one thread that commits a batch at a time.
#[derive(Debug)]
pub(crate) struct BareSqlite {
    program: PathBuf,
    /// Of the library that the server has too.
    pub version: String,
    folder: Scratch,
}

impl BareSqlite {
    /// Builds the program.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        let build = ["build", "--release", "--package", "colloquy-store-sqlite", "--example", EXAMPLE];
        command::run(&mut workspace.cargo(&build))?;
        let program = workspace.target.join("release").join("examples").join(EXAMPLE);
        let folder = workspace.scratch("bench-bare")?;
        let mut bare = Self { program, version: String::new(), folder };
        // An insert or two, for the version.
        let (version, _) = bare.run(1, Duration::from_millis(1))?;
        bare.version = version;
        Ok(bare)
    }

    /// Inserts in batches of so many, each on disk before the next begins. An insert takes as long as its batch.
    pub(crate) fn measure(&self, batch: usize, time: Duration) -> Result<Sample> {
        self.run(batch, time).map(|(_, sample)| sample)
    }

    fn run(&self, batch: usize, time: Duration) -> Result<(String, Sample)> {
        let file = self.folder.path.join("bare.db");
        let mut program = Command::new(&self.program);
        program.arg(&file).args([batch.to_string(), time.as_secs_f64().to_string()]);
        let said = command::output(&mut program)?;
        remove(&file)?;
        bare_sqlite(&said, batch).with_context(|| format!("{EXAMPLE} said {said:?}"))
    }
}

/// Each run begins with a new database.
fn remove(file: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The version of SQLite and what was measured, out of what the program prints.
fn bare_sqlite(said: &str, batch: usize) -> Option<(String, Sample)> {
    let mut lines = said.lines();
    let [version, inserts, microseconds] = lines.next()?.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let answers = inserts.parse().ok()?;
    let time = Duration::from_micros(microseconds.parse().ok()?);
    let batches: Option<Vec<Duration>> =
        lines.map(|line| line.parse().ok().map(Duration::from_micros)).collect();
    let latencies = batches?.into_iter().flat_map(|took| std::iter::repeat_n(took, batch)).collect();
    Some((version.to_owned(), Sample { time, latencies, answers, ..Sample::default() }))
}

/// `pgbench` with single-row inserts.
#[derive(Debug)]
pub(crate) struct BarePostgres {
    folder: Scratch,
    database: String,
}

impl BarePostgres {
    /// The connections that PostgreSQL takes, less some for itself.
    pub(crate) const MOST_CLIENTS: usize = 190;

    /// Makes the table, in a database of its own.
    pub(crate) fn start(workspace: &Workspace, postgres: &Databases) -> Result<Self> {
        let folder = workspace.scratch("bench-pgbench")?;
        let database = "bare".to_owned();
        postgres.make(&database)?;
        let mut psql = postgres.program("psql")?;
        command::output(psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--dbname", &database, "-c", TABLE]))?;
        let script = folder.path.join("insert.pgbench");
        std::fs::write(&script, INSERT).with_context(|| format!("cannot write {}", script.display()))?;
        Ok(Self { folder, database })
    }

    /// Inserts over so many connections.
    pub(crate) fn measure(&self, postgres: &Databases, clients: usize, time: Duration) -> Result<Sample> {
        if clients > Self::MOST_CLIENTS {
            bail!("PostgreSQL takes no {clients} connections here");
        }
        // In whole seconds, at least one.
        let seconds = time.as_secs_f64().ceil().max(1.0);
        let logs = self.folder.path.join("logs");
        std::fs::create_dir(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let mut pgbench = postgres.program("pgbench")?;
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--log", "--log-prefix"]);
        pgbench.arg(logs.join("log"));
        pgbench.args(["--client", &clients.to_string(), "--time", &seconds.to_string(), "--file"]);
        pgbench.arg(self.folder.path.join("insert.pgbench")).arg(&self.database);
        command::output(&mut pgbench)?;
        let mut latencies = Vec::new();
        for log in std::fs::read_dir(&logs)? {
            let log = std::fs::read_to_string(log?.path())?;
            latencies.extend(logged(&log).context("pgbench wrote a log that is not understood")?);
        }
        std::fs::remove_dir_all(&logs)?;
        let answers = latencies.len() as u64;
        Ok(Sample { time: Duration::from_secs_f64(seconds), latencies, answers, ..Sample::default() })
    }
}

/// How long each transaction took: the third column, in microseconds.
fn logged(log: &str) -> Option<Vec<Duration>> {
    let times = log.lines().map(|line| line.split(' ').nth(2)?.parse().ok().map(Duration::from_micros));
    times.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_is_understood() {
        let (version, sample) = bare_sqlite("3.50.0 64 2000000\n300\n400\n", 32).expect("a sample");
        assert_eq!((version.as_str(), sample.answers, sample.latencies.len()), ("3.50.0", 64, 64));
        assert!((sample.per_second() - 32.0).abs() < 1e-9);
        assert!(bare_sqlite("", 1).is_none() && bare_sqlite("3.50.0 64 1\nx\n", 1).is_none());

        let log = "0 1 2540 0 1790000000 1234\n1 1 900 0 1790000000 2345\n";
        assert_eq!(logged(log), Some(vec![Duration::from_micros(2540), Duration::from_micros(900)]));
        assert_eq!(logged("progress\n"), None);
    }
}
