//! Trouble with the disk: it is full, it fails, it may not be written to, it belongs to another server; and there are
//! no more files to be had. Writes are refused, reads go on, nothing acknowledged is lost.

mod fails;
mod full;
pub(super) mod mount;
mod refused;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::{Tally, Trial, strace};
use crate::crash::verify::Verifier;
use crate::random::SplitMix;
use crate::rest::{Failure, Rest};
use crate::server::{QUIET, Server};

/// How long anything may take that is waited for.
const LIMIT: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const CLIENTS: usize = 6;
/// How many problems are printed.
const SHOWN: usize = 10;

/// What was tried.
#[derive(Debug, Default)]
struct Sum {
    /// How often the disk was filled.
    fillings: u32,
    /// How many calls of the system were made to fail.
    failures: u32,
    /// How often the server was refused its directory, or refused it itself.
    refusals: u32,
    acknowledged: u64,
}

/// Runs the program.
///
/// # Errors
/// Where nothing can be mounted or traced, and when a promise is broken.
pub(super) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    strace::require()?;
    let mut sum = Sum::default();
    let mut rounds = 0;
    while trial.goes_on(rounds, 1) {
        let mut random = SplitMix::new(trial.seed.wrapping_add(u64::from(rounds)));
        let scratch = trial.workspace.scratch("disk")?;
        let folder = |name: &str| -> Result<PathBuf> {
            let path = scratch.path.join(name);
            std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
            Ok(path)
        };
        let done = full::run(trial.binary, &folder("full")?, &mut sum)
            .and_then(|()| refused::run(trial.binary, &folder("refused")?, &mut sum))
            .and_then(|()| fails::run(trial.binary, &folder("fails")?, &mut random, &mut sum));
        done.map_err(|error| {
            error.context(format!("logs and data are kept in {}", scratch.keep().display()))
        })?;
        rounds += 1;
    }
    Ok(Tally {
        tried: format!(
            "{} full disks, {} failing calls, {} refusals",
            sum.fillings, sum.failures, sum.refusals
        ),
        acknowledged: sum.acknowledged,
        lost: 0,
    })
}

/// Starts a server, with a client of its own.
fn start(binary: &Path, data: &Path) -> Result<(Server, Rest)> {
    let server = Server::start(binary, data, &QUIET)?;
    let rest = Rest::new(&server.url);
    Ok((server, rest))
}

/// Lets the clients of a ledger write while something is done, which is told how many appends were acknowledged.
fn while_writing<T>(
    ledger: &mut Ledger,
    url: &str,
    act: impl FnOnce(&AtomicUsize) -> Result<T>,
) -> Result<T> {
    let (running, acknowledged) = (AtomicBool::new(true), AtomicUsize::new(0));
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            ledger.write(url, |count| {
                acknowledged.fetch_max(count, Ordering::Relaxed);
                running.load(Ordering::Relaxed)
            })
        });
        let acted = act(&acknowledged);
        running.store(false, Ordering::Relaxed);
        writing.join().map_err(|_| anyhow!("a client panicked"))??;
        acted
    })
}

/// Waits for something to become true.
fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !is_so()? {
        if started.elapsed() > LIMIT {
            bail!("{what}: not within {} s", LIMIT.as_secs());
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// Waits until `more` appends are acknowledged than now.
fn wait_for_appends(what: &str, acknowledged: &AtomicUsize, more: usize) -> Result<()> {
    let before = acknowledged.load(Ordering::Relaxed);
    wait_until(what, || Ok(acknowledged.load(Ordering::Relaxed) >= before + more))
}

/// Why the server says that it is not ready; none where it is.
fn unready(rest: &Rest) -> Result<Option<String>> {
    match rest.ready() {
        Ok(()) => Ok(None),
        Err(Failure::Refused(503, body)) => {
            let answer: Value = serde_json::from_str(&body).context("/readyz does not answer JSON")?;
            let reason = answer.get("reason").and_then(Value::as_str).unwrap_or_default();
            if reason.is_empty() {
                bail!("/readyz does not say why: {body}");
            }
            Ok(Some(reason.to_owned()))
        }
        Err(failure) => Err(anyhow!("/readyz: {failure}")),
    }
}

/// An append must be refused, with this HTTP status and this name of it.
fn expect_refusal(rest: &Rest, session: &str, status: u16, name: &str) -> Result<()> {
    match rest.post(&format!("{session}:appendEvent"), &small_event()) {
        Err(Failure::Refused(found, body)) if found == status && body.contains(&format!("\"{name}\"")) => {
            Ok(())
        }
        Err(failure) => Err(anyhow!("an append was not refused with {status} {name}: {failure}")),
        Ok(_) => bail!("an append was not refused with {status} {name}"),
    }
}

/// Reads must work.
fn expect_reads(rest: &Rest, session: &str) -> Result<()> {
    rest.get(session).context("a session cannot be read")?;
    rest.get(&format!("{session}/events")).context("events cannot be listed").map(drop)
}

fn small_event() -> Value {
    json!({"author": "a", "invocationId": "probe", "timestamp": "2026-03-01T12:00:00Z"})
}

/// Everything acknowledged must be there, and nothing half-applied.
fn verify(url: &str, ledger: &Ledger) -> Result<()> {
    let findings = Verifier::new(ledger.clients()).check(url, &ledger.round())?;
    for problem in findings.problems.iter().take(SHOWN) {
        println!("  {problem}");
    }
    if !findings.problems.is_empty() {
        bail!(
            "of {} acknowledged {} lost, {} half-applied",
            ledger.acknowledged(),
            findings.lost,
            findings.half_applied
        );
    }
    Ok(())
}
