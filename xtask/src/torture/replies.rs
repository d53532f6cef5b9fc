//! Answers are lost on their way, and clients send the same write again under the same name: it is done once.

mod load;
mod once;
mod servers;

use std::path::Path;

use anyhow::{Context as _, Result};

use self::load::Done;
use self::servers::Servers;
use super::{Tally, Trial};
use crate::postgres::Postgres;
use crate::proxy::Network;
use crate::random::SplitMix;

/// Tries both stores, and again for as long as the trial goes on.
///
/// # Errors
/// When a write is done twice or not at all, a retry is told something else than the first, or another write under
/// the same name is not refused.
pub(crate) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    let network = Network::new()?;
    let postgres = Postgres::start(trial.workspace)?;
    let mut random = SplitMix::new(trial.seed);
    let mut tally = Tally::default();
    let (mut lost, mut retries) = (0, 0);
    let mut rounds = 0;
    let mut round = |name: &str, store: Option<&Postgres>| -> Result<()> {
        let scratch = trial.workspace.scratch(&format!("replies-{name}"))?;
        let kept = over(trial.binary, &scratch.path, store, &network, &mut random);
        let (lost_here, done) = kept
            .with_context(|| format!("over {name}"))
            .map_err(|error| error.context(format!("the logs are kept in {}", scratch.keep().display())))?;
        println!(
            "{name}: {} acknowledged, {lost_here} answers lost, {} sent again, each done once",
            done.acknowledged, done.retries
        );
        tally.acknowledged += done.acknowledged;
        lost += lost_here;
        retries += done.retries;
        Ok(())
    };
    while trial.goes_on(rounds, 1) {
        round("SQLite", None)?;
        round("PostgreSQL", Some(&postgres))?;
        rounds += 1;
    }
    tally.tried = format!("{lost} lost answers, {retries} retries");
    Ok(tally)
}

/// One store: how many answers were lost, and what was done.
fn over(
    binary: &Path,
    folder: &Path,
    store: Option<&Postgres>,
    network: &Network,
    random: &mut SplitMix,
) -> Result<(u64, Done)> {
    let servers = Servers::start(binary, folder, store.map(Postgres::url), network)?;
    let engine = |servers: &Servers<'_>| {
        let ways = servers.ways().first().context("there is no server")?;
        ways.clear().create_engine().context("cannot create an engine")
    };
    let once = once::check(&servers, &engine(&servers)?)?;
    let count = servers.ways().len();
    let mut done = load::check(&servers, &engine(&servers)?, random, |number| match store {
        // Now and then it is the database that leaves its servers alone.
        Some(postgres) if number % 2 == 1 => postgres.admin()?.terminate_nodes(None).map(drop),
        Some(_) => servers.kill(usize::try_from(number / 2).unwrap_or(0) % count),
        None => servers.kill(0),
    })?;
    done.acknowledged += once;
    Ok((servers.lost_answers(), done))
}
