//! `cargo xtask clients`: every published client against a server of its own, and a table of how it went.
//!
//! The claim is "change the address, nothing else", so a row is what a user would write. How many calls a row
//! made is read from the server's log: a row that never reached the server has shown nothing.

pub(crate) mod python;
mod rows;
mod table;
mod tally;
mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::rows::{ROWS, Row, Store};
use self::tally::Calls;
use self::tools::Tool;
use crate::command;
use crate::postgres::Postgres;
use crate::server::{Server, log_path};
use crate::workspace::Workspace;

/// How long one row may take.
const ROW_LIMIT: Duration = Duration::from_secs(15 * 60);
/// One line a request, for machines.
const LOGGED: [&str; 4] = ["--log-level", "warn,request=info", "--log-format", "json"];

/// Which rows.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// The server to test, in place of the release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Only rows whose name holds this, in any case; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Fail also when a row is not run because its tools are missing.
    #[arg(long)]
    require_all: bool,
}

/// How a row went.
struct Report {
    row: &'static Row,
    /// The clients with their versions, as the row read them from what is installed.
    versions: Vec<String>,
    calls: Calls,
    time: Duration,
    outcome: Outcome,
}

/// Whether a row passed.
enum Outcome {
    Passed,
    Failed(String),
    /// Its tools are missing: why.
    NotRun(String),
}

impl Options {
    /// All rows; `require_all` as on the command line.
    pub(crate) fn all(require_all: bool) -> Self {
        Self { require_all, ..Self::default() }
    }

    fn wants(&self, row: &Row) -> bool {
        let name = row.client.to_lowercase();
        self.only.is_empty() || self.only.iter().any(|text| name.contains(&text.to_lowercase()))
    }
}

/// Runs the rows, in order, each whether or not an earlier one failed; answers a note about rows not run.
///
/// # Errors
/// When a row fails, or with `require_all` when one is not run; the table is printed all the same.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Option<String>> {
    let binary = workspace.server_binary(options.bin.as_deref())?;
    let mut installed = BTreeMap::new();
    let mut postgres = None;
    let mut reports = Vec::new();
    for row in ROWS.iter().filter(|row| options.wants(row)) {
        println!("\n-- {}", row.client);
        let ready = installed.entry(row.tool).or_insert_with(|| row.tool.make_ready(workspace));
        let report = match ready {
            Ok(()) => run_row(workspace, &binary, &mut postgres, row),
            Err(missing) => Report {
                row,
                versions: Vec::new(),
                calls: Calls::default(),
                time: Duration::ZERO,
                outcome: match missing {
                    tools::Unready::Missing(why) => Outcome::NotRun(why.clone()),
                    tools::Unready::Failed(why) => Outcome::Failed(why.clone()),
                },
            },
        };
        if let Outcome::Failed(why) | Outcome::NotRun(why) = &report.outcome {
            println!("{}: {why}", row.client);
        }
        reports.push(report);
    }
    print!("{}", table::text(&reports));
    let count =
        |counts: fn(&Outcome) -> bool| reports.iter().filter(|report| counts(&report.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let not_run = count(|outcome| matches!(outcome, Outcome::NotRun(_)));
    if reports.is_empty() {
        bail!("no row has such a name");
    }
    if failed > 0 {
        bail!("{failed} of {} rows failed", reports.len());
    }
    match not_run {
        0 => Ok(None),
        _ if options.require_all => bail!("{not_run} of {} rows were not run", reports.len()),
        _ => Ok(Some(format!("{not_run} of {} client rows NOT run, their tools are missing", reports.len()))),
    }
}

fn run_row(
    workspace: &Workspace,
    binary: &Path,
    postgres: &mut Option<Postgres>,
    row: &'static Row,
) -> Report {
    let started = Instant::now();
    let mut report = Report {
        row,
        versions: Vec::new(),
        calls: Calls::default(),
        time: Duration::ZERO,
        outcome: Outcome::Passed,
    };
    if let Err(error) = try_row(workspace, binary, postgres, &mut report) {
        report.outcome = Outcome::Failed(format!("{error:#}"));
    }
    report.time = started.elapsed();
    report
}

/// Runs a row against a server with an empty store. The first row on PostgreSQL starts one; each has a database in it.
fn try_row(
    workspace: &Workspace,
    binary: &Path,
    postgres: &mut Option<Postgres>,
    report: &mut Report,
) -> Result<()> {
    let row = report.row;
    let scratch = workspace.scratch("clients")?;
    let data = scratch.path.join("data");
    let versions = scratch.path.join("versions.txt");
    let mut flags: Vec<String> = LOGGED.iter().chain(row.flags).map(|flag| (*flag).to_owned()).collect();
    if row.store == Store::Postgres {
        if postgres.is_none() {
            *postgres = Some(Postgres::start(workspace)?);
        }
        let postgres = postgres.as_ref().context("PostgreSQL is running")?;
        flags.extend(["--store".to_owned(), postgres.new_database()?]);
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let server = Server::start(binary, &data, &flags)?;
    let mut command = row.tool.command(workspace, row.arguments);
    command.env("COLLOQUY_URL", &server.url).env("COLLOQUY_REPORT", &versions);
    let ran = command::run_within(&mut command, ROW_LIMIT);
    server.stop().context("the server did not end in order")?;
    report.calls = Calls::in_log(&log_path(&data))?;
    report.versions = read_versions(&versions)?;
    ran?;
    row.check(&report.calls)?;
    if report.versions.is_empty() {
        bail!("it did not say which clients it tested");
    }
    Ok(())
}

/// Each client once, in the order of their first mention.
fn read_versions(path: &Path) -> Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut versions: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !versions.iter().any(|known| known == line) {
            versions.push(line.to_owned());
        }
    }
    Ok(versions)
}
