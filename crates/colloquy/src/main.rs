//! The server's binary: settings, wiring, subcommands.

mod migrate;
mod null_append;
mod serve;
mod settings;
mod store;
mod system;

use clap::{Parser, Subcommand};

use migrate::MigrateArgs;
use settings::ServeArgs;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A self-hosted server for agent sessions that speaks the protocol of Vertex AI Agent Engine Sessions.
#[derive(Parser)]
#[command(name = "colloquy", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (also what happens without a subcommand).
    Serve(Box<ServeArgs>),
    /// Copy everything from one store into another, and compare the two.
    Migrate(MigrateArgs),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let args = match cli.command {
        Some(Command::Serve(args)) => *args,
        Some(Command::Migrate(args)) => return migrate::run(&args),
        None => cli.serve,
    };
    serve::run(args.settle()?)
}
