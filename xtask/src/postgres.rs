//! A PostgreSQL of its own for tests: found or installed, started on a free port, stopped at the end.

pub(crate) mod admin;
pub(crate) mod instance;
pub(crate) mod programs;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

use self::admin::Admin;
use self::instance::{Instance, Place};
use self::programs::Programs;
use crate::command;
use crate::pgbouncer::PgBouncer;
use crate::workspace::{Scratch, Workspace};

/// Variables that tests read.
const URL: &str = "TEST_DATABASE_URL";

/// A running PostgreSQL, stopped with this value, its data gone with it.
#[derive(Debug)]
pub(crate) struct Postgres {
    instance: Instance,
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
        let programs = Programs::find_or_install()?;
        let data = programs.scratch(workspace, "postgres")?;
        let place = Place { cluster: data.path.join("data"), wal: None, log: data.path.join("log") };
        let instance = Instance::start_new(&programs, place, &["max_connections=200"])?;
        println!("PostgreSQL: {}", instance.url());
        Ok(Self { instance, databases: AtomicU32::new(0), _data: data })
    }

    /// Its database, as tests want it.
    pub(crate) fn url(&self) -> String {
        self.instance.url()
    }

    /// Where one of its programs is.
    pub(crate) fn path_of(&self, program: &str) -> PathBuf {
        self.instance.programs().path(program)
    }

    /// Tells a program of the database, and where its tools are.
    pub(crate) fn tell<'c>(&self, program: &'c mut Command) -> &'c mut Command {
        let own = self.as_its_user(Path::new(""));
        let words = [own.get_program()].into_iter().chain(own.get_args());
        let words: Vec<_> =
            words.filter(|word| !word.is_empty()).map(|word| word.to_string_lossy()).collect();
        let programs = self.instance.programs();
        program
            .env(URL, self.url())
            .env("TEST_PSQL", programs.path("psql"))
            .env("TEST_POSTGRES_PROGRAMS", programs.folder())
            .env("TEST_POSTGRES_AS", words.join(" "))
    }

    /// A connection for those who look after it.
    pub(crate) fn admin(&self) -> Result<Admin> {
        self.instance.admin()
    }

    /// The URL of a new, empty database in it.
    pub(crate) fn new_database(&self) -> Result<String> {
        let name = format!("rows_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut createdb = Command::new(self.instance.programs().path("createdb"));
        command::output(createdb.args(["--maintenance-db", &self.url(), &name]))?;
        Ok(format!("postgres://postgres@127.0.0.1:{}/{name}", self.port()))
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.instance.port()
    }

    /// A program that runs as it does: not as root.
    pub(crate) fn as_its_user(&self, program: &Path) -> Command {
        self.instance.programs().as_their_user(program)
    }

    /// A folder for one task's data that such a program can write to.
    pub(crate) fn scratch(&self, workspace: &Workspace, task: &str) -> Result<Scratch> {
        self.instance.programs().scratch(workspace, task)
    }

    /// Waits until a server takes connections.
    pub(crate) fn wait_for(&self, server: &mut Child, port: u16) -> Result<()> {
        self.instance.programs().wait_for(server, port)
    }

    /// What a statement answers: a line a row, its columns separated by spaces.
    pub(crate) fn query(&self, statement: &str) -> Result<String> {
        let mut psql = Command::new(self.instance.programs().path("psql"));
        let form = ["--no-psqlrc", "--tuples-only", "--no-align", "--field-separator= "];
        psql.args(form).args(["--dbname", &self.url()]);
        command::output(psql.arg("--command").arg(statement))
    }
}

/// Runs a program with a PostgreSQL to test with, and a PgBouncer before it.
pub(crate) fn run(workspace: &Workspace, words: &[std::ffi::OsString]) -> Result<()> {
    let Some((program, arguments)) = words.split_first() else { bail!("no program was named") };
    let postgres = Postgres::start(workspace)?;
    let pooler = PgBouncer::start(workspace, &postgres)?;
    command::run(pooler.tell(postgres.tell(Command::new(program).args(arguments))))
}
