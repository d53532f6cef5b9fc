//! `cargo xtask bench`: what the server does a second and what it costs, beside what else could do the same work.
//!
//! Everything that is compared is measured in one run, turn by turn, by the same generator on the same machine: the
//! figures of two machines, or of two days, do not compare, but their ratio does.

mod adk;
mod appends;
mod bare;
mod bars;
mod conditions;
mod database;
mod figures;
mod growth;
mod http1;
mod http2;
mod load;
mod message;
mod page;
mod plot;
mod process;
mod profile;
mod reading;
mod request;
mod seed;
mod subject;
mod walk;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::bare::BareSqlite;
use self::bars::Bar;
use self::database::Databases;
use crate::workspace::Workspace;

/// How many clients append at a time, each over its own kept connection.
const CLIENTS: [usize; 4] = [1, 32, 128, 256];
/// Sessions that the clients append to in turn.
const SESSIONS: usize = 64;
/// The page that a run fills, and the folder of its plots.
const PAGE: &str = "docs/benchmarks.md";
const PLOTS: &str = "docs/benchmarks";

/// How long to measure, and what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many runs of each kind; the medians are shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    runs: u8,
    /// Seconds that one run measures, after a short warm-up.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How many clients append at a time; may be given more than once. Bars are held at 32.
    #[arg(long, default_values_t = CLIENTS)]
    clients: Vec<usize>,
    /// Only this part; may be given more than once.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// How many sessions the large engine has when growth is measured.
    #[arg(long, default_value_t = 1_000_000)]
    large: usize,
    /// How many events a long session has when growth is measured.
    #[arg(long, default_value_t = 100_000)]
    long: usize,
    /// Every part: growth on PostgreSQL and the profile too.
    #[arg(long)]
    full: bool,
    /// The server to measure, in place of the release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Write the results and the plots to docs/benchmarks.md.
    #[arg(long)]
    write: bool,
    /// Fail when a bar is missed.
    #[arg(long)]
    check: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Appends by many clients, beside ADK, the bare engines, and the server without storage.
    Appends,
    /// Sessions of different lengths, read over both protocols, beside ADK.
    Reading,
    /// What long sessions and large engines cost; memory, disk and starts.
    Growth,
    /// Where the server's processor time goes while it appends, by Linux's perf; only by `--full` or by name.
    Profile,
    /// Growth on PostgreSQL, which takes longer than all else together; only by `--full` or by name.
    GrowthPostgres,
}

const PARTS: [Part; 5] = [Part::Appends, Part::Reading, Part::Growth, Part::Profile, Part::GrowthPostgres];

/// What every part measures with.
struct Bench<'w> {
    workspace: &'w Workspace,
    options: &'w Options,
    binary: PathBuf,
    postgres: Databases,
    bare_sqlite: BareSqlite,
    /// How long one measurement takes.
    time: Duration,
}

/// What a part found.
struct Section {
    /// For the page.
    markdown: String,
    bars: Vec<Bar>,
    /// File names and pictures.
    plots: Vec<(String, String)>,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        if self.only.is_empty() {
            part != Part::GrowthPostgres || self.full
        } else {
            self.only.contains(&part)
        }
    }
}

/// Measures, prints what was found, and writes it to the page if it is to.
///
/// # Errors
/// When anything answers something else than success, or with `--check` when a bar is missed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let time = Duration::try_from_secs_f64(options.seconds).context("--seconds is no length of time")?;
    if options.clients.contains(&0) {
        bail!("--clients must be at least 1");
    }
    let binary = workspace.server_binary(options.bin.as_deref())?;
    let bare_sqlite = BareSqlite::build(workspace)?;
    let postgres = Databases::start(workspace)?;
    let bench = Bench { workspace, options, binary, postgres, bare_sqlite, time };
    let mut bars = Vec::new();
    for part in PARTS.into_iter().filter(|part| options.wants(*part)) {
        let section = match part {
            Part::Appends => appends::run(&bench)?,
            Part::Reading => reading::run(&bench)?,
            Part::Growth => growth::run(&bench, growth::Store::Sqlite, part.name())?,
            Part::GrowthPostgres => growth::run(&bench, growth::Store::Postgres, part.name())?,
            Part::Profile => profile::run(&bench)?,
        };
        println!("\n{}", section.markdown);
        if options.write {
            section.write(workspace, part.name())?;
        }
        bars.extend(section.bars);
    }
    for bar in &bars {
        println!("{}", bar.line());
    }
    if options.check && !bars.iter().all(Bar::is_met) {
        bail!("a bar is missed");
    }
    Ok(())
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Appends => "appends",
            Self::Reading => "reading",
            Self::Growth => "growth",
            Self::GrowthPostgres => "growth-postgres",
            Self::Profile => "profile",
        }
    }
}

impl Section {
    fn write(&self, workspace: &Workspace, block: &str) -> Result<()> {
        let page = workspace.root.join(PAGE);
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {PAGE}"))?;
        let text = page::with_block(&text, block, &self.markdown)?;
        fs::write(&page, text).with_context(|| format!("cannot write {PAGE}"))?;
        let folder = workspace.root.join(PLOTS);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {PLOTS}"))?;
        for (name, svg) in &self.plots {
            fs::write(folder.join(name), svg).with_context(|| format!("cannot write {PLOTS}/{name}"))?;
        }
        Ok(())
    }
}
