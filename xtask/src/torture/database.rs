//! Whatever befalls a PostgreSQL under two nodes: nothing that was acknowledged is lost, and the nodes serve again.
//!
//! A primary with a standby that every commit waits for; writers through both nodes, who go on all the time.

mod cluster;
mod disk;
mod fault;
mod ledger;
mod load;
mod nodes;
mod scopes;
mod verify;

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::cluster::Cluster;
use self::fault::{Effect, Fault};
use self::ledger::Ledger;
use self::load::Load;
use self::nodes::{Addresses, Nodes};
use self::verify::Findings;
use super::{Tally, Trial};
use crate::postgres::programs::Programs;
use crate::proxy::{Network, Proxy};
use crate::random::SplitMix;
use crate::rest::Rest;

/// How many servers work on the database.
const NODES: usize = 2;
/// How many writers there are, and how many sessions at a time.
const WRITERS: usize = 32;
const PLACES: usize = 64;
/// How many share the work of [`Load::settle`].
const SETTLERS: usize = 16;
/// How many writes of each node make a load, before a fault and after it.
const STEADY: u64 = 100;
/// How soon a node must serve again after a fault.
const BACK: Duration = Duration::from_secs(5);
/// How many problems are printed; the rest are only counted.
const SHOWN: usize = 20;

/// Inflicts every fault once, and again for as long as the trial goes on.
///
/// # Errors
/// When an acknowledged write is lost, one is half-applied, an answer is none for callers or does not come in time, a
/// node does not serve again, or a fault does nothing and so shows nothing.
pub(crate) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    let programs = Programs::find_or_install()?;
    let mut random = SplitMix::new(trial.seed);
    let mut tally = Tally::default();
    let (mut laps, mut faults) = (0, 0);
    let mut left_out = Vec::new();
    while trial.goes_on(laps, 1) {
        let scratch = programs.scratch(trial.workspace, &format!("database-{laps}"))?;
        let lap = Lap { trial, programs: &programs, folder: &scratch.path };
        let kept = lap.run(&mut random, &mut tally, &mut faults, &mut left_out);
        kept.map_err(|error| error.context(format!("the logs are kept in {}", scratch.keep().display())))?;
        laps += 1;
    }
    tally.tried = format!("{faults} faults");
    if !left_out.is_empty() {
        tally.tried.push_str(&format!(" ({} left out: nothing can be mounted here)", left_out.join(", ")));
    }
    Ok(tally)
}

/// Every fault once, on a database of its own.
struct Lap<'a> {
    trial: &'a Trial<'a>,
    programs: &'a Programs,
    folder: &'a Path,
}

impl Lap<'_> {
    fn run(
        &self,
        random: &mut SplitMix,
        tally: &mut Tally,
        faults: &mut u32,
        left_out: &mut Vec<&'static str>,
    ) -> Result<()> {
        let network = Network::new()?;
        let mut cluster = Cluster::start(self.programs, self.folder, &network)?;
        let addresses = Addresses::default();
        let mut nodes = Nodes::start(self.trial.binary, self.folder, &cluster, &addresses)?;
        let probes = nodes.create_probes()?;
        let mut ledgers = Vec::new();
        for fault in shuffled(random) {
            if !self.trial.goes_on(*faults, Fault::ALL.len() as u32) {
                break;
            }
            *faults += 1;
            if !fault.is_possible(&cluster) {
                println!("{:<26}left out: nothing can be mounted here", fault.name());
                left_out.push(fault.name());
                continue;
            }
            let ledger = round(fault, &mut cluster, &mut nodes, &addresses, &probes, random)
                .with_context(|| format!("at the fault {:?}", fault.name()))?;
            let done = ledger.appends().iter().filter(|sent| sent.outcome == ledger::Outcome::Done).count();
            tally.acknowledged += done as u64;
            ledgers.push(ledger);
            // The old primary's place gets a standby again.
            cluster.complete(self.folder)?;
        }
        // What was found after one fault must still be there after all later ones.
        for ledger in &ledgers {
            verify(&addresses, ledger, &cluster)?;
        }
        Ok(())
    }
}

/// All faults in an order that chance gives.
fn shuffled(random: &mut SplitMix) -> Vec<Fault> {
    let mut faults = Fault::ALL.to_vec();
    for last in (1..faults.len()).rev() {
        let other = random.index(last + 1);
        faults.swap(last, other);
    }
    faults
}

/// One fault under load, and what it left.
fn round(
    fault: Fault,
    cluster: &mut Cluster,
    nodes: &mut Nodes<'_>,
    addresses: &Addresses,
    probes: &[String],
    random: &mut SplitMix,
) -> Result<Ledger> {
    let engine = Rest::new(&addresses.of(0)).create_engine().context("cannot create an engine")?;
    let ledger = Ledger::new(engine, PLACES);
    let load = Load::new(&ledger, addresses, random.next());
    let outcome = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let load = &load;
                    move || load.write(writer)
                })
            })
            .collect();
        let outcome = befall(fault, cluster, nodes, &load, probes, random);
        load.end();
        for writer in writers {
            writer.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?;
        }
        outcome
    });
    let (lasted, back) = outcome?;
    thread::scope(|scope| {
        for settler in 0..SETTLERS {
            let load = &load;
            scope.spawn(move || load.settle(settler));
        }
    });
    let told = &load.told;
    println!(
        "{:<26}{:>5.1} s, back in {:.2} s: acknowledged {}, unavailable {}, no room {}, unanswered {}, slowest {:.1} s",
        fault.name(),
        lasted.as_secs_f64(),
        back.as_secs_f64(),
        told.done(),
        told.unavailable(),
        told.out_of_space(),
        told.nothing(),
        told.slowest().as_secs_f64(),
    );
    fail_if_any(&load.problems())?;
    verify(addresses, &ledger, cluster)?;
    if back > BACK {
        bail!("a node took {:.1} s to serve again", back.as_secs_f64());
    }
    match fault.effect() {
        Effect::Failures if told.unavailable() + told.out_of_space() + told.nothing() == 0 => {
            bail!("nobody noticed, so it shows nothing")
        }
        Effect::Waits(time) if told.slowest() < time * 3 / 4 => bail!("nobody waited, so it shows nothing"),
        _ => Ok(ledger),
    }
}

/// Brings it about while writers write; how long it lasted, and how long the last node then took to serve again.
fn befall(
    fault: Fault,
    cluster: &mut Cluster,
    nodes: &mut Nodes<'_>,
    load: &Load<'_>,
    probes: &[String],
    random: &mut SplitMix,
) -> Result<(Duration, Duration)> {
    load.wait_until_steady(STEADY)?;
    let started = std::time::Instant::now();
    fault.inflict(cluster, nodes, &load.told, random)?;
    let lasted = started.elapsed();
    let nodes = &*nodes;
    let back = thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..NODES).map(|node| scope.spawn(move || nodes.wait_until_back(node, probes))).collect();
        waiting.into_iter().try_fold(Duration::ZERO, |longest, waiting| {
            let back = waiting.join().map_err(|_| anyhow::anyhow!("a probe panicked"))??;
            Ok::<_, anyhow::Error>(longest.max(back))
        })
    })?;
    load.wait_until_steady(STEADY)?;
    if fault == Fault::HalfOpen {
        // What was forgotten is closed at last.
        for node in 0..NODES {
            cluster.ways(node)?.iter().for_each(Proxy::cut_silent);
        }
    }
    Ok((lasted, back))
}

/// Compares what the database has with what writers were told, through every node.
fn verify(addresses: &Addresses, ledger: &Ledger, cluster: &Cluster) -> Result<()> {
    for node in 0..NODES {
        let Findings { lost, problems, found } =
            verify::check(&addresses.of(node), ledger, WRITERS + SETTLERS)?;
        fail_if_any(&problems)
            .with_context(|| format!("node {node} has {found} appends, {lost} writes are lost"))?;
    }
    let gaps = cluster.admin()?.sessions_with_gaps()?;
    if gaps > 0 {
        bail!("the sequences of {gaps} sessions have gaps");
    }
    Ok(())
}

fn fail_if_any(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    for problem in problems.iter().take(SHOWN) {
        println!("  {problem}");
    }
    bail!("{} promises were broken", problems.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_once_in_an_order_of_its_seed() {
        let order = |seed| shuffled(&mut SplitMix::new(seed));
        let first = order(1);
        assert_eq!(first, order(1));
        assert_ne!(first, order(2));
        assert!(Fault::ALL.iter().all(|fault| first.contains(fault)) && first.len() == Fault::ALL.len());
    }
}
