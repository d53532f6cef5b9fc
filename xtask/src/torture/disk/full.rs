//! A disk that is full: by others, and by the database itself.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::mount::Mount;
use super::{
    CLIENTS, LOOK_AGAIN, Sum, expect_reads, expect_refusal, start, unready, verify, wait_for_appends,
    wait_until, while_writing,
};
use crate::rest::{Failure, Rest};
use crate::torture::ledger::{Ledger, Outcome};

/// In MiB: the reserve, and a few times as much.
const DISK: u32 = 40;
/// Sessions that only take room, and how much room each event of theirs takes.
const BALLAST: usize = 8;
const BALLAST_BYTES: usize = 128 << 10;
/// How many events each of them has at first.
const BALLAST_EVENTS: usize = 10;
/// The disk counts as full when nothing was acknowledged for so long: whatever room there is, is found sooner.
const QUIET_FOR: Duration = Duration::from_millis(2_500);
const FULL_LIMIT: Duration = Duration::from_secs(90);
/// So many appends show that writes go on.
const SOME: usize = 30;
const FULL: &str = "disk is full";

/// Fills the disk and makes room, twice, with clients writing all the while.
pub(super) fn run(binary: &Path, folder: &Path, sum: &mut Sum) -> Result<()> {
    let mount = Mount::new(&folder.join("data"), DISK)?;
    let (server, rest) = start(binary, &mount.path)?;
    let engine = rest.create_engine().context("cannot create an engine")?;
    let mut ledger = Ledger::create(&server.url, &engine, "full", CLIENTS)?;
    // In an engine of its own: what is deleted takes no part in the states that are checked.
    let ballast_engine = rest.create_engine().context("cannot create an engine")?;
    let ballast = (0..BALLAST)
        .map(|index| rest.create_session(&ballast_engine, &format!("ballast-{index}"), "user"))
        .collect::<Result<Vec<_>, _>>()
        .context("cannot create a session")?;
    for session in ballast.iter().cycle().take(BALLAST * BALLAST_EVENTS) {
        append_ballast(&rest, session)?;
    }
    let [first, second, rest_of_ballast @ ..] = ballast.as_slice() else { bail!("there is ballast") };

    while_writing(&mut ledger, &server.url, |acknowledged| {
        wait_for_appends("appends before the disk is full", acknowledged, SOME)?;
        fill(&mount, &rest, acknowledged)?;
        sum.fillings += 1;
        expect_full(&rest, second)?;
        // The disk stays full: room is made in the database.
        delete(&rest, first)?;
        wait_for_appends("appends after a delete on a full disk", acknowledged, SOME)?;
        mount.empty()?;
        wait_until("ready after there is room", || Ok(unready(&rest)?.is_none()))?;
        wait_for_appends("appends after there is room", acknowledged, SOME)
    })?;
    println!("filled by others: {} appends acknowledged", ledger.acknowledged());

    // Now by itself, until nothing fits any more; it is killed there, and must come back.
    while_writing(&mut ledger, &server.url, |acknowledged| {
        let mut turns = rest_of_ballast.iter().cycle();
        wait_until_full(&rest, acknowledged, || match turns.next() {
            Some(session) => append_ballast(&rest, session).map(drop),
            None => Ok(()),
        })?;
        sum.fillings += 1;
        expect_full(&rest, second)
    })?;
    server.kill()?;
    let (server, rest) = start(binary, &mount.path).context("a start on a full disk")?;
    verify(&server.url, &ledger)?;
    while_writing(&mut ledger, &server.url, |acknowledged| {
        expect_reads(&rest, second)?;
        for session in rest_of_ballast {
            delete(&rest, session)?;
        }
        wait_for_appends("appends after deletes", acknowledged, SOME)?;
        wait_until("ready after deletes", || Ok(unready(&rest)?.is_none()))
    })?;
    verify(&server.url, &ledger)?;
    server.stop()?;
    let (server, _) = start(binary, &mount.path)?;
    verify(&server.url, &ledger)?;
    server.stop()?;
    if let Some(entry) = ledger
        .entries
        .iter()
        .find(|entry| matches!(&entry.outcome, Outcome::Unknown(answer) if !answer.starts_with("no answer")))
    {
        bail!("a full disk was answered with something else: {entry:?}");
    }
    let refused = ledger.entries.iter().filter(|entry| entry.outcome == Outcome::OutOfSpace).count();
    println!("filled by the database: {} appends acknowledged, {refused} refused", ledger.acknowledged());
    sum.acknowledged += ledger.acknowledged();
    Ok(())
}

/// Takes all room until the server finds none any more.
fn fill(mount: &Mount, rest: &Rest, acknowledged: &AtomicUsize) -> Result<()> {
    wait_until_full(rest, acknowledged, || {
        // What the server gave up is not taken from it.
        if unready(rest)?.is_none() {
            mount.fill()?;
        }
        Ok(())
    })
}

/// Does something again and again until appends are refused, and the server finds no room by itself.
fn wait_until_full(
    rest: &Rest,
    acknowledged: &AtomicUsize,
    mut step: impl FnMut() -> Result<()>,
) -> Result<()> {
    let started = Instant::now();
    let (mut seen, mut quiet_since) = (acknowledged.load(Ordering::Relaxed), Instant::now());
    while quiet_since.elapsed() < QUIET_FOR || unready(rest)?.is_none() {
        step()?;
        let now = acknowledged.load(Ordering::Relaxed);
        if now != seen {
            (seen, quiet_since) = (now, Instant::now());
        }
        if started.elapsed() > FULL_LIMIT {
            bail!("the server did not say that the disk is full in {} s", FULL_LIMIT.as_secs());
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// What a full disk means to callers.
fn expect_full(rest: &Rest, session: &str) -> Result<()> {
    match unready(rest)? {
        Some(reason) if reason.contains(FULL) => {}
        other => bail!("/readyz does not say that the disk is full, but {other:?}"),
    }
    expect_refusal(rest, session, 429, "RESOURCE_EXHAUSTED")?;
    expect_reads(rest, session)
}

fn delete(rest: &Rest, session: &str) -> Result<()> {
    rest.delete(session).context("a delete was refused")?;
    match rest.get(session) {
        Err(Failure::Refused(404, _)) => Ok(()),
        other => bail!("a deleted session is answered with {other:?}"),
    }
}

/// Appends a large event; whether there was room for it.
fn append_ballast(rest: &Rest, session: &str) -> Result<bool> {
    let event: Value = json!({
        "author": "a",
        "invocationId": "ballast",
        "timestamp": "2026-03-01T12:00:00Z",
        "content": {"role": "user", "parts": [{"text": "x".repeat(BALLAST_BYTES)}]},
    });
    match rest.post(&format!("{session}:appendEvent"), &event) {
        Ok(_) => Ok(true),
        Err(Failure::Refused(429, _)) => Ok(false),
        Err(failure) => Err(failure).context("a large append"),
    }
}
