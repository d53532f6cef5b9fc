//! `cargo xtask`: the one place that installs what tests need and runs everything.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks through them")]

mod bench;
mod command;
mod crash;
mod deny;
mod python;
mod rest;
mod server;
mod steps;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what tests need and run every check, in order; fails if any of them does.
    Test {
        /// Run only this step; may be given more than once.
        #[arg(long, value_enum)]
        only: Vec<steps::Step>,
    },
    /// Run Google's published Python clients against the release build of the server.
    Clients(python::Options),
    /// Kill the server during a write load, again and again, and check that nothing acknowledged is lost.
    Crash(crash::Options),
    /// Measure durable appends over HTTP beside the same server's ceiling without storage.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match task {
        Task::Test { only } => steps::run(&workspace, &only),
        Task::Clients(options) => python::test_clients(&workspace, &options),
        Task::Crash(options) => crash::run(&workspace, &options),
        Task::Bench(options) => bench::run(&workspace, &options),
    }
}
