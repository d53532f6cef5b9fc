//! `cargo xtask`: the one place that installs what tests need and runs everything.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks through them")]

mod bench;
mod clients;
mod command;
mod crash;
mod debian;
mod deny;
mod pgbouncer;
mod postgres;
mod proxy;
mod random;
mod rest;
mod server;
mod steps;
mod torture;
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
        /// Fail also when a client is not run because its tools are missing.
        #[arg(long)]
        require_all: bool,
    },
    /// Run Google's published clients, each against a server of its own, and print a table.
    Clients(clients::Options),
    /// Kill the server during a write load, again and again, and check that nothing acknowledged is lost.
    Crash(crash::Options),
    /// Break what the server stands on, in every way there is a program for, and count what it lost.
    Torture(torture::Options),
    /// Run a program, such as `cargo test`, with a PostgreSQL of its own, whose URL is in TEST_DATABASE_URL.
    Postgres {
        /// The program and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<std::ffi::OsString>,
    },
    /// Measure appends, reading and growth, beside ADK, the bare engines, and the same server without storage.
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
        Task::Test { only, require_all } => steps::run(&workspace, &only, require_all),
        Task::Clients(options) => {
            if let Some(note) = clients::run(&workspace, &options)? {
                println!("note: {note}");
            }
            Ok(())
        }
        Task::Crash(options) => crash::run(&workspace, &options),
        Task::Torture(options) => torture::run(&workspace, &options),
        Task::Postgres { program } => postgres::run(&workspace, &program),
        Task::Bench(options) => bench::run(&workspace, &options),
    }
}
