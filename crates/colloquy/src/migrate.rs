//! Moving everything from one store into another, and making sure that it is there.

mod progress;
mod report;

use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use colloquy_sessions::transfer::{
    CopyError, Limit, Tallies, Transfer, TransferError, TransferResult, compare, copy, tally,
};
use colloquy_store_postgres::PostgresTransfer;
use colloquy_store_sqlite::{OpenError, SqliteTransfer};

use crate::store::Place;
use progress::{Copying, Progress};

/// The options of `migrate`.
#[derive(Args, Clone, Debug)]
pub(crate) struct MigrateArgs {
    /// The store to copy: a data directory, also as sqlite:DIR, or postgres://USER:PASSWORD@HOST/DATABASE.
    /// No server may use it meanwhile.
    #[arg(long, env = "COLLOQUY_MIGRATE_FROM", value_name = "STORE", hide_env_values = true)]
    from: Place,
    /// The store to copy to: empty, or one that this was begun with before.
    #[arg(long, env = "COLLOQUY_MIGRATE_TO", value_name = "STORE", hide_env_values = true)]
    to: Place,
    /// The most rows that are read and written at once.
    #[arg(long, value_name = "ROWS", default_value = "2000")]
    batch_rows: NonZeroUsize,
}

/// Copies, compares, and says how that went.
pub(crate) fn run(args: &MigrateArgs) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(migrate(args))
}

async fn migrate(args: &MigrateArgs) -> Result<()> {
    let MigrateArgs { from, to, .. } = args;
    let limit = Limit { rows: args.batch_rows.get(), ..Limit::default() };
    if is_same_directory(from, to) {
        bail!("--from and --to are the same store, {from}");
    }
    let source = open_source(from).await?;
    let destination = open_destination(to).await?;
    let outcome = if source.identity().token == destination.identity().token {
        Err(anyhow!("--from and --to are the same store, {}", source.identity().name))
    } else {
        transfer(args, limit, &source, &destination).await
    };
    source.close().await;
    destination.close().await;
    outcome
}

async fn transfer(
    args: &MigrateArgs,
    limit: Limit,
    source: &Arc<dyn Transfer>,
    destination: &Arc<dyn Transfer>,
) -> Result<()> {
    let MigrateArgs { from, to, .. } = args;
    let started = Instant::now();
    let reading = || format!("reading from {from}");
    let writing = || format!("writing to {to}");
    let rows: u64 = source.sizes().await.with_context(reading)?.iter().sum();
    let on_terminal = std::io::stderr().is_terminal();

    let mut copying = Copying::new(Progress::new(on_terminal, rows));
    if let Err(error) = copy(&**source, &**destination, limit, &mut copying).await {
        let (error, doing) = match error {
            CopyError::Source(error) => (error, reading()),
            CopyError::Destination(error) => (error, writing()),
        };
        let goes_on = matches!(error, TransferError::Store(_));
        let error = anyhow!(error).context(doing);
        return Err(if goes_on {
            error.context("the migration was cut off; the same command goes on where it was")
        } else {
            error
        });
    }
    let copied = copying.finish();
    let seconds = started.elapsed().as_secs_f64();

    // What both really hold, read anew.
    let progress = Arc::new(Progress::new(on_terminal, rows.saturating_mul(2)));
    progress.go_on("comparing", 0);
    let read =
        |store: &Arc<dyn Transfer>| tokio::spawn(tallied(Arc::clone(store), limit, Arc::clone(&progress)));
    let (ours, theirs) = (read(source), read(destination));
    let ours = ours.await.context("comparing")?.with_context(reading)?;
    let theirs = theirs.await.context("comparing")?.with_context(|| format!("reading from {to}"))?;
    let comparison =
        compare((&**source, &ours), (&**destination, &theirs), limit).await.context("comparing")?;
    progress.finish();
    report::print(&comparison, copied, seconds)?;
    if let Some((kind, difference)) = comparison.difference {
        bail!(
            "{from} and {to} do not hold the same {kind}: {difference}. Was something written meanwhile? \
             No server starts on {to} as it is; stop all servers, empty it, and begin again"
        );
    }
    destination.finish().await.with_context(writing)
}

async fn tallied(store: Arc<dyn Transfer>, limit: Limit, progress: Arc<Progress>) -> TransferResult<Tallies> {
    tally(&*store, limit, &|rows| progress.advance(rows.len())).await
}

fn is_same_directory(from: &Place, to: &Place) -> bool {
    let (Place::Directory(from), Place::Directory(to)) = (from, to) else { return false };
    matches!((from.canonicalize(), to.canonicalize()), (Ok(from), Ok(to)) if from == to)
}

async fn open_source(place: &Place) -> Result<Arc<dyn Transfer>> {
    let opening = || format!("opening the source {place}");
    Ok(match place {
        Place::Directory(path) => {
            Arc::new(SqliteTransfer::open_source(path).map_err(in_use).with_context(opening)?)
        }
        Place::Postgres(url) => {
            Arc::new(PostgresTransfer::open_source(url.reveal()).await.with_context(opening)?)
        }
    })
}

async fn open_destination(place: &Place) -> Result<Arc<dyn Transfer>> {
    let opening = || format!("opening the destination {place}");
    Ok(match place {
        Place::Directory(path) => {
            Arc::new(SqliteTransfer::open_destination(path).map_err(in_use).with_context(opening)?)
        }
        Place::Postgres(url) => {
            Arc::new(PostgresTransfer::open_destination(url.reveal()).await.with_context(opening)?)
        }
    })
}

/// Says what to do about a directory that is in use.
fn in_use(error: OpenError) -> anyhow::Error {
    let is_in_use = matches!(error, OpenError::AlreadyInUse { .. });
    let error = anyhow::Error::from(error);
    if is_in_use {
        error.context("a migration needs the store for itself: stop the server first")
    } else {
        error
    }
}
