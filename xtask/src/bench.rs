//! `cargo xtask bench`: durable appends over HTTP, beside the same server's ceiling without storage; lists over
//! REST beside lists over gRPC.
//!
//! Both are measured in one run, turn by turn, by the same generator on the same machine: the figures of two
//! machines, or of two days, do not compare, but their ratio does.

mod cpu;
mod lists;
mod load;
mod report;
mod request;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::load::Sample;
use self::report::Row;
use crate::rest::Rest;
use crate::server::{QUIET, Server};
use crate::workspace::{Scratch, Workspace};

/// How many clients append at a time, each over its own kept connection.
const CLIENTS: [usize; 3] = [1, 32, 128];
/// Where the bar is held, and how high.
const BAR_CLIENTS: usize = 32;
const BAR: f64 = 0.4;
/// Sessions that the clients append to in turn.
const SESSIONS: usize = 512;
/// Makes the server parse and answer appends, and store nothing.
const CEILING: &str = "--bench-null-append";

/// How long to measure, and what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many runs of each kind; the medians are shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    runs: u8,
    /// Seconds that one run measures, after a short warm-up.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How many clients append at a time; may be given more than once. The bar is held at 32.
    #[arg(long, default_values_t = CLIENTS)]
    clients: Vec<usize>,
    /// The server to measure, in place of the release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Fail when the ratio at 32 clients misses the bar.
    #[arg(long)]
    check: bool,
}

/// A server that is measured, and the sessions that it has.
struct Subject {
    server: Server,
    sessions: Vec<String>,
    /// Goes after the server.
    _data: Scratch,
}

/// Measures, and prints a table.
///
/// # Errors
/// When a server does not start or answers anything but success, or with `--check` when the bar is missed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let time = Duration::try_from_secs_f64(options.seconds).context("--seconds is no length of time")?;
    let binary = workspace.server_binary(options.bin.as_deref())?;
    let durable = Subject::start(&binary, workspace.scratch("bench-durable")?, &QUIET)?;
    let ceiling = Subject::start(
        &binary,
        workspace.scratch("bench-ceiling")?,
        &[QUIET.as_slice(), &[CEILING]].concat(),
    )?;
    println!(
        "{} runs of {} s each, in turn; an event is {} bytes of JSON with a delta of 2 keys",
        options.runs,
        options.seconds,
        request::EVENT_BYTES
    );

    let mut rows: Vec<Row> = options.clients.iter().map(|&clients| Row::new(clients)).collect();
    for _ in 0..options.runs {
        for row in &mut rows {
            row.durable.push(durable.measure(row.clients, time)?);
            row.ceiling.push(ceiling.measure(row.clients, time)?);
        }
    }
    print!("{}", report::table(&rows));
    print!("{}", lists::run(&durable.server, options.runs, time)?);

    let Some(ratio) = rows.iter().find(|row| row.clients == BAR_CLIENTS).map(Row::ratio) else {
        if options.check {
            bail!("the bar is held at {BAR_CLIENTS} clients, which were not measured");
        }
        return Ok(());
    };
    let verdict = if ratio >= BAR { "met" } else { "missed" };
    println!("durable / ceiling with {BAR_CLIENTS} clients: {ratio:.2}; the bar of {BAR} is {verdict}");
    if options.check && ratio < BAR {
        bail!("the bar is missed");
    }
    Ok(())
}

impl Subject {
    fn start(binary: &Path, data: Scratch, more: &[&str]) -> Result<Self> {
        let server = Server::start(binary, &data.path.join("data"), more)?;
        let rest = Rest::new(&server.url);
        let engine = rest.create_engine().context("cannot create an engine")?;
        let sessions = (0..SESSIONS)
            .map(|number| {
                rest.create_session(&engine, &format!("bench-{number}"), &format!("user-{}", number % 64))
            })
            .collect::<Result<Vec<_>, _>>()
            .context("cannot create a session")?;
        Ok(Self { server, sessions, _data: data })
    }

    fn measure(&self, clients: usize, time: Duration) -> Result<Sample> {
        let before = cpu::used_by(self.server.id())?;
        let mut sample = load::run(self.server.address()?, &self.sessions, clients, time)?;
        sample.server_cpu = cpu::used_by(self.server.id())?.saturating_sub(before);
        Ok(sample)
    }
}
