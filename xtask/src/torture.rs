//! `cargo xtask torture`: programs that take away what the server stands on, and count what it lost.
//!
//! Each has a short form, which `cargo xtask test` runs, and goes on for as long as it is told in its long form.

mod clock;
mod database;
mod disk;
mod history;
mod ledger;
mod power;
mod replies;
mod strace;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::crash;
use crate::workspace::Workspace;

const SEED: u64 = 1;

/// One way to break things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// The server is killed during a write load.
    Crash,
    /// The power fails: data directories as it may leave them are made from a record of all writes.
    Power,
    /// The disk is full, fails or may not be written to, or files run out.
    Disk,
    /// Everything that can befall a PostgreSQL under two nodes.
    Database,
    /// Answers are lost, and writes sent again.
    Replies,
    /// Concurrent clients, and a model that must explain what they were answered.
    History,
    /// The server's clock is set forward and back.
    Clock,
}

/// How long, and what.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Go on for so long, shared by the programs; without it each runs its short form.
    #[arg(long)]
    minutes: Option<u64>,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Run only this program; may be given more than once.
    #[arg(long, value_enum)]
    only: Vec<Program>,
    /// The server to test, in place of the release build.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
}

impl Options {
    /// The short form of every program.
    pub(crate) fn short() -> Self {
        Self { minutes: None, seed: SEED, only: Vec::new(), bin: None }
    }
}

/// What a program is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial<'a> {
    /// Where builds and scratch folders are.
    pub workspace: &'a Workspace,
    /// The server.
    pub binary: &'a Path,
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// When to end; none in the short form.
    until: Option<Instant>,
}

impl Trial<'_> {
    /// Whether another round follows `done` rounds, where the short form has `short` of them.
    pub(crate) fn goes_on(&self, done: u32, short: u32) -> bool {
        done < short || self.until.is_some_and(|until| Instant::now() < until)
    }
}

/// What a program tried, and what of it the server lost. A program fails by itself when a promise is broken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// What was tried, in words with their numbers: `20 kills`.
    pub tried: String,
    /// How many writes were acknowledged, and so had to be found again.
    pub acknowledged: u64,
    /// How many of those were not.
    pub lost: u64,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Power => "power",
            Self::Disk => "disk",
            Self::Database => "database",
            Self::Replies => "replies",
            Self::History => "history",
            Self::Clock => "clock",
        }
    }

    fn run(self, trial: &Trial<'_>) -> Result<Tally> {
        match self {
            Self::Crash => crash::trial(trial),
            Self::Power => power::trial(trial),
            Self::Disk => disk::trial(trial),
            Self::Database => database::trial(trial),
            Self::Replies => replies::trial(trial),
            Self::History => history::trial(trial),
            Self::Clock => clock::trial(trial),
        }
    }
}

/// Runs the programs and prints what each tried and lost.
///
/// # Errors
/// When the server breaks a promise under any of them; the others run all the same.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let binary = workspace.server_binary(options.bin.as_deref())?;
    let programs: Vec<Program> = Program::value_variants()
        .iter()
        .copied()
        .filter(|program| options.only.is_empty() || options.only.contains(program))
        .collect();
    let share = options.minutes.map(|minutes| {
        Duration::from_secs(minutes * 60) / u32::try_from(programs.len().max(1)).unwrap_or(u32::MAX)
    });
    let mut lines = Vec::new();
    let mut failed = 0;
    for program in programs {
        println!("\n-- {}", program.name());
        let until = share.map(|share| Instant::now() + share);
        let trial = Trial { workspace, binary: &binary, seed: options.seed, until };
        let started = Instant::now();
        let outcome = match program.run(&trial) {
            Ok(Tally { tried, acknowledged, lost: 0 }) => {
                format!("{tried}, {acknowledged} acknowledged, 0 lost")
            }
            Ok(Tally { tried, acknowledged, lost }) => {
                failed += 1;
                format!("FAILED: {tried}, {acknowledged} acknowledged, {lost} lost")
            }
            Err(error) => {
                failed += 1;
                format!("FAILED: {error:#}")
            }
        };
        lines.push(format!("{:<10}{:>8.1}  {outcome}", program.name(), started.elapsed().as_secs_f64()));
    }
    println!("\n{:<10}{:>8}  seed {}", "program", "seconds", options.seed);
    for line in &lines {
        println!("{line}");
    }
    if failed > 0 {
        bail!("{failed} of {} programs failed", lines.len());
    }
    Ok(())
}
