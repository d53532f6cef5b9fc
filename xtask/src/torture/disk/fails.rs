//! Calls of the system that fail: the server's Nth write or sync, then or from then on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{
    CLIENTS, Sum, expect_reads, expect_refusal, start, unready, verify, wait_for_appends, wait_until,
    while_writing,
};
use crate::random::SplitMix;
use crate::server::{QUIET, Server, serve_arguments};
use crate::torture::ledger::{Ledger, Outcome};
use crate::torture::strace::Attached;

/// What is written to and synced with.
const WRITES: &str = "pwrite64";
const SYNCS: &str = "fsync,fdatasync";
/// Everything that a filesystem which has become read-only refuses to files that are open already. A real one cannot
/// be had: it is refused while files are open for writing, except by a kernel that has found an error.
const READ_ONLY: &str = "pwrite64,ftruncate,fallocate,fsync,fdatasync";
/// The first of these are tried always, later ones by chance.
const FIRST: u64 = 2;
const LATEST: u64 = 60;
const APPENDS: usize = 20;

/// What the server must make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// No more writes until it is restarted.
    Fault,
    /// A write was refused; others go on.
    OutOfSpace,
}

/// Each in turn, on one directory.
pub(super) fn run(binary: &Path, folder: &Path, random: &mut SplitMix, sum: &mut Sum) -> Result<()> {
    let data = folder.join("data");
    let mut ledgers: Vec<Ledger> = Vec::new();
    let mut cases = vec![(READ_ONLY, "EROFS", "1+".to_owned(), Expected::Fault)];
    for (calls, error, expected) in [
        (WRITES, "EIO", Expected::Fault),
        (SYNCS, "EIO", Expected::Fault),
        (SYNCS, "ENOSPC", Expected::Fault),
        (WRITES, "ENOSPC", Expected::OutOfSpace),
    ] {
        let by_chance = FIRST + 1 + random.below(LATEST - FIRST);
        // A disk that has failed once may fail on.
        let on = if expected == Expected::Fault && random.below(2) == 0 { "+" } else { "" };
        cases.push((calls, error, format!("{}", 1 + random.below(FIRST)), expected));
        cases.push((calls, error, format!("{by_chance}{on}"), expected));
    }
    for (number, (calls, error, when, expected)) in cases.into_iter().enumerate() {
        let what = format!("{calls} fails with {error} at {when}");
        let (server, rest) = start(binary, &data)?;
        let engine = rest.create_engine().context("cannot create an engine")?;
        let mut ledger = Ledger::create(&server.url, &engine, &format!("fails-{number}"), CLIENTS)?;
        let session = ledger.sessions.first().context("a ledger has sessions")?.name.clone();
        while_writing(&mut ledger, &server.url, |acknowledged| {
            wait_for_appends("appends before", acknowledged, APPENDS)?;
            let attached = Attached::inject(server.id(), &format!("{calls}:error={error}:when={when}"))?;
            match expected {
                Expected::Fault => {
                    wait_until("not ready", || Ok(unready(&rest)?.is_some()))?;
                    let reason = unready(&rest)?.unwrap_or_default();
                    if !reason.contains("restart") {
                        bail!("/readyz does not ask for a restart: {reason}");
                    }
                    expect_refusal(&rest, &session, 503, "UNAVAILABLE")?;
                    expect_reads(&rest, &session)?;
                    // Nor does it serve once the disk is well again.
                    drop(attached);
                    expect_refusal(&rest, &session, 503, "UNAVAILABLE")?;
                    expect_reads(&rest, &session)
                }
                Expected::OutOfSpace => {
                    wait_for_appends("appends after", acknowledged, 10 * APPENDS)?;
                    wait_until("ready", || Ok(unready(&rest)?.is_none()))
                }
            }
        })
        .with_context(|| what.clone())?;
        expect_order(&ledger, expected).with_context(|| what.clone())?;
        server.kill()?;
        let (server, _) = start(binary, &data).with_context(|| format!("a start after {what}"))?;
        verify(&server.url, &ledger).with_context(|| what.clone())?;
        server.kill()?;
        sum.failures += 1;
        ledgers.push(ledger);
    }
    starts(binary, &data, random, sum)?;
    let (server, _) = start(binary, &data)?;
    for ledger in &ledgers {
        verify(&server.url, ledger)?;
        sum.acknowledged += ledger.acknowledged();
    }
    server.stop()
}

/// Nothing that was sent after a refusal may be acknowledged by the same server.
fn expect_order(ledger: &Ledger, expected: Expected) -> Result<()> {
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(_));
    let first = ledger.entries.iter().filter(|entry| refused(&entry.outcome)).map(|entry| entry.answered);
    match (first.min_by(f64::total_cmp), expected) {
        (None, Expected::Fault) => bail!("no append was refused"),
        (Some(_), Expected::OutOfSpace) => bail!("an append was not refused as out of space"),
        (None, Expected::OutOfSpace) => Ok(()),
        (Some(first), Expected::Fault) => {
            match ledger.entries.iter().find(|entry| entry.is_acknowledged() && entry.sent > first) {
                Some(entry) => bail!("{entry:?} was acknowledged after a refusal at {first}"),
                None => Ok(()),
            }
        }
    }
}

/// Calls that fail while the server starts: it starts all the same, or says why not.
fn starts(binary: &Path, data: &Path, random: &mut SplitMix, sum: &mut Sum) -> Result<()> {
    for (calls, error, most) in [(WRITES, "EIO", 6), (WRITES, "ENOSPC", 6), (SYNCS, "EIO", 4)] {
        let when = 1 + random.below(most);
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-q", "--seccomp-bpf", "-o", "/dev/null"]);
        command.args(["-e", &format!("inject={calls}:error={error}:when={when}")]);
        command.arg(binary).args(serve_arguments(data, &QUIET));
        match Server::run(command, data) {
            Ok(server) => server.kill()?,
            Err(refusal) if format!("{refusal:#}").contains("Error: ") => {}
            Err(refusal) => {
                return Err(refusal.context(format!("{calls} failed with {error} at {when} in a start")));
            }
        }
        sum.failures += 1;
    }
    Ok(())
}
