//! The PostgreSQL of a benchmark: a database for each subject, its settings, and what it uses.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::process;
use crate::command;
use crate::postgres::Postgres;
use crate::workspace::Workspace;

/// What durability rests on, with the value that promises it.
const DURABLE: [(&str, &str); 3] =
    [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")];
const SIZE: &str = include_str!("database/size.psql");

/// A server with as many databases as are asked for.
#[derive(Debug)]
pub(crate) struct Databases {
    postgres: Postgres,
}

impl Databases {
    /// Starts a server, and refuses one that acknowledges what a loss of power takes back.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let databases = Self { postgres: Postgres::start(workspace)? };
        for (name, wanted) in DURABLE {
            let found = databases.setting(name)?;
            if found != wanted {
                bail!("PostgreSQL has {name} = {found}: what it acknowledges may be lost");
            }
        }
        Ok(databases)
    }

    /// Makes an empty database of this name, and tells its URL.
    pub(crate) fn make(&self, name: &str) -> Result<String> {
        command::output(self.program("createdb")?.arg(name))?;
        let url = self.postgres.url();
        let (server, _) = url.rsplit_once('/').context("a URL names a database")?;
        Ok(format!("{server}/{name}"))
    }

    /// One of PostgreSQL's programs, told which server is meant.
    pub(crate) fn program(&self, name: &str) -> Result<Command> {
        let mut program = Command::new(self.postgres.path_of(name));
        let url = self.postgres.url();
        let (host, port) = host_and_port(&url).with_context(|| format!("{url} has no host and port"))?;
        program.args(["--host", host, "--port", port, "--username=postgres"]);
        Ok(program)
    }

    /// The first word of a setting's value: Debian says after the version what package it is of.
    pub(crate) fn setting(&self, name: &str) -> Result<String> {
        let said = self.ask("postgres", &format!("SHOW {name}"))?;
        Ok(said.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// How many bytes a database has.
    pub(crate) fn bytes(&self, database: &str) -> Result<u64> {
        let said = self.ask(database, SIZE)?;
        said.trim().parse().with_context(|| format!("psql said {said:?}"))
    }

    /// The processor time of all its processes, those that have ended too.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let file = Path::new(&self.setting("data_directory")?).join("postmaster.pid");
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let first = text.lines().next().and_then(|line| line.trim().parse().ok());
        process::cpu_of_family(first.context("postmaster.pid has no number")?)
    }

    fn ask(&self, database: &str, question: &str) -> Result<String> {
        let mut psql = self.program("psql")?;
        psql.args([
            "--no-psqlrc",
            "--no-align",
            "--tuples-only",
            "--dbname",
            database,
            "--command",
            question,
        ]);
        command::output(&mut psql)
    }
}

/// The parts of `postgres://user@host:port/database`.
fn host_and_port(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once('@')?;
    rest.split_once('/')?.0.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_server() {
        assert_eq!(host_and_port("postgres://postgres@127.0.0.1:5/postgres"), Some(("127.0.0.1", "5")));
        assert_eq!(host_and_port("postgres:///x"), None);
    }
}
