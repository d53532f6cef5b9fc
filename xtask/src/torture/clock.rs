//! The server's clock is set: sessions end when they should, and nothing else is lost by it.
//!
//! The server is the real one, on SQLite, with a clock that this program sets (see [`fake`]). What days of running would
//! do to the horizon of upkeep, without which nothing is freed, is written into its database between two starts.

mod database;
mod fake;
mod load;
mod sessions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use self::database::{Counts, Database};
use self::fake::FakeClock;
use self::load::{Load, append_during, make};
use self::sessions::{Client, Presence};
use super::{Tally, Trial};
use crate::random::SplitMix;
use crate::rest::Rest;
use crate::server::Server;

/// 2030-01-01T00:00:00Z, in microseconds.
const START: i64 = 1_893_456_000_000_000;
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
/// The shortest life of a session, in seconds.
const A_DAY: u64 = 86_400;

/// How many sessions expire at once in the short form; in the long form four times as many each time, up to the most.
const EXPIRED: usize = 20_000;
const MOST_EXPIRED: usize = 1_000_000;
/// Sessions that live on; the writers share them evenly.
const LIVE: usize = 40;
/// How long appends are measured while nothing is swept.
const QUIET: Duration = Duration::from_secs(2);
/// How often a sweep is killed.
const KILLS: u32 = 3;
/// Appends during a sweep may take so many times as long, and at least so long, before this fails: machines are noisy.
const GROSS: f64 = 10.0;
const SHORT: Duration = Duration::from_millis(50);

/// A server with its clock.
struct World<'a> {
    binary: &'a Path,
    data: PathBuf,
    clock: FakeClock,
    server: Option<Server>,
    engine: String,
    client: Client,
    tally: Tally,
}

/// Something that the clock does to a server of its own, and what must come of it.
type Case = fn(&mut World<'_>) -> Result<()>;

const CASES: [(&str, Case); 4] = [
    ("sessions end at the instant, and no append is lost before", ends_at_the_instant),
    ("a new ttl moves the end", is_extended),
    ("the clock jumps an hour and back", jumps_by_an_hour),
    ("the clock jumps ten years, and is put right or not", jumps_by_years),
];

/// Runs every case; the last one goes on with more and more sessions in the long form.
///
/// # Errors
/// When a session ends too early or too late, something is lost, or a sweep holds appends up.
pub(crate) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    let scratch = trial.workspace.scratch("clock")?;
    let mut total = Tally::default();
    for (number, (what, case)) in CASES.into_iter().enumerate() {
        let folder = scratch.path.join(format!("case-{number}"));
        let mut world = World::new(trial.binary, &folder)?;
        let started = Instant::now();
        case(&mut world).with_context(|| format!("{what}, seed {}", trial.seed))?;
        println!("{what}: as it should be ({:.1} s)", started.elapsed().as_secs_f64());
        total.acknowledged += world.tally.acknowledged;
    }
    let mut random = SplitMix::new(trial.seed);
    let mut count = EXPIRED;
    let mut sweeps = 0;
    let mut swept = 0;
    while trial.goes_on(sweeps, 1) {
        let folder = scratch.path.join(format!("sweep-{sweeps}"));
        let mut world = World::new(trial.binary, &folder)?;
        sweep(&mut world, count, &mut random)
            .with_context(|| format!("a sweep of {count} sessions, seed {}", trial.seed))?;
        total.acknowledged += world.tally.acknowledged;
        drop(world);
        std::fs::remove_dir_all(&folder)?;
        swept += count;
        sweeps += 1;
        count = (count * 4).min(MOST_EXPIRED);
    }
    let cases = CASES.len();
    total.tried = format!(
        "{cases} cases, {swept} sessions swept in {sweeps} sweeps that were killed {KILLS} times each"
    );
    Ok(total)
}

impl<'a> World<'a> {
    fn new(binary: &'a Path, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let data = folder.join("data");
        let clock = FakeClock::new(folder, START)?;
        let server = clock.start(binary, &data)?;
        let engine = Rest::new(&server.url).create_engine()?;
        let client = Client::new(&server.url, &engine);
        Ok(Self { binary, data, clock, server: Some(server), engine, client, tally: Tally::default() })
    }

    fn url(&self) -> Result<String> {
        Ok(self.server.as_ref().context("the server runs")?.url.clone())
    }

    fn database(&self) -> Database {
        Database::of(&self.data)
    }

    fn stop(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), Server::stop)
    }

    fn kill(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), Server::kill)
    }

    fn start(&mut self) -> Result<()> {
        let server = self.clock.start(self.binary, &self.data)?;
        self.client = Client::new(&server.url, &self.engine);
        self.server = Some(server);
        Ok(())
    }

    /// Lets so much time pass, in which the server would have run.
    fn run_for(&mut self, time: Duration) -> Result<()> {
        self.stop()?;
        self.clock.pass(time)?;
        self.database().set_horizon(self.clock.now())?;
        self.start()
    }

    /// Waits until upkeep has taken a step: it has then freed a session that was deleted for that. A step expires sessions
    /// before it frees those that are deleted.
    fn wait_for_upkeep(&self, number: u64) -> Result<()> {
        let before = self.database().counts()?.sessions;
        let id = format!("deleted-{number}");
        self.client.create(&id, None)?;
        Rest::new(&self.url()?).delete(&format!("{}/sessions/{id}", self.engine))?;
        self.database().wait_for_sessions(before)
    }

    fn append(&mut self, id: &str, number: u64) -> Result<()> {
        if self.client.append(id, number)? == Presence::Gone {
            bail!("the live session {id} refused an append");
        }
        self.tally.acknowledged += 1;
        Ok(())
    }
}

/// Up to its last microsecond a session takes appends, and then never again; also while many append.
fn ends_at_the_instant(world: &mut World<'_>) -> Result<()> {
    world.client.create("one", Some(A_DAY))?;
    world.client.create("busy", Some(A_DAY))?;
    world.client.create("other", None)?;
    let end = START + i64::try_from(DAY.as_micros())?;
    world.clock.set(end - 1)?;
    world.client.expect("one", Presence::Live, 1)?;

    // The clock reaches the end while appends are under way.
    let url = world.url()?;
    let (engine, clock) = (world.engine.clone(), &mut world.clock);
    let written = AtomicU64::new(0);
    let number = AtomicU64::new(1);
    let acknowledged = thread::scope(|scope| -> Result<Vec<u64>> {
        let append = || -> Result<Vec<u64>> {
            let client = Client::new(&url, &engine);
            let mut acknowledged = Vec::new();
            loop {
                let next = number.fetch_add(1, Ordering::Relaxed);
                if client.append("busy", next)? == Presence::Gone {
                    // Once gone, it is gone for everybody.
                    client.expect("busy", Presence::Gone, 0)?;
                    return Ok(acknowledged);
                }
                acknowledged.push(next);
                written.fetch_add(1, Ordering::Relaxed);
            }
        };
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(append)).collect();
        let asked = Instant::now();
        while written.load(Ordering::Relaxed) < 500 && asked.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(1));
        }
        clock.set(end)?;
        let mut all = Vec::new();
        for writer in writers {
            all.extend(writer.join().map_err(|_| anyhow!("a writer panicked"))??);
        }
        Ok(all)
    })?;
    world.tally.acknowledged += acknowledged.len() as u64;
    world.client.expect("one", Presence::Gone, 2)?;
    world.client.expect("other", Presence::Live, 1)?;

    // It has only ended by the clock: with the clock a microsecond back, all that was acknowledged is there, once.
    world.wait_for_upkeep(1)?;
    world.clock.set(end - 1)?;
    let mut events = world.client.events("busy")?.context("a session that has not ended is gone")?;
    let mut expected = acknowledged;
    events.sort_unstable();
    expected.sort_unstable();
    if events != expected {
        bail!("{} appends were acknowledged, and {} events are there", expected.len(), events.len());
    }
    if world.client.events("one")? != Some(vec![1]) {
        bail!("an append at the last microsecond is lost");
    }

    // When the end has really come, the name is free, and nothing of the old session is in the new one.
    world.run_for(Duration::from_micros(1))?;
    world.client.create("busy", None)?;
    if world.client.events("busy")? != Some(Vec::new()) {
        bail!("a session made anew has the events of the one before");
    }
    // "other" and the new "busy".
    world.database().wait_for_sessions(2)
}

/// A ttl counts from when it is given.
fn is_extended(world: &mut World<'_>) -> Result<()> {
    world.client.create("extended", Some(A_DAY))?;
    world.client.create("not-extended", Some(A_DAY))?;
    world.append("extended", 0)?;
    world.run_for(DAY.saturating_sub(HOUR))?;
    if world.client.extend("extended", A_DAY)? == Presence::Gone {
        bail!("a live session cannot be extended");
    }
    world.run_for(HOUR)?;
    world.client.expect("not-extended", Presence::Gone, 1)?;
    if world.client.extend("not-extended", A_DAY)? == Presence::Live {
        bail!("a session that has ended was extended");
    }
    world.database().wait_for_sessions(1)?;
    world.client.expect("extended", Presence::Live, 1)?;
    world.run_for(DAY.saturating_sub(HOUR).saturating_sub(Duration::from_micros(1)))?;
    world.client.expect("extended", Presence::Live, 2)?;
    if world.client.events("extended")? != Some(vec![0, 1, 2]) {
        bail!("an extended session does not have all its events");
    }
    world.run_for(Duration::from_micros(1))?;
    world.client.expect("extended", Presence::Gone, 3)?;
    world.database().wait_for_sessions(0)
}

/// Order, update times and page tokens do not depend on the clock going forward.
fn jumps_by_an_hour(world: &mut World<'_>) -> Result<()> {
    world.client.create("ending", Some(A_DAY))?;
    world.append("ending", 0)?;
    world.run_for(DAY.saturating_sub(HOUR / 2))?;
    world.client.create("moving", None)?;
    for number in 0..4 {
        world.append("moving", number)?;
    }
    let (first, token) = world.client.page("moving", 2, "")?.context("a live session is gone")?;
    let mut last = update_time(world, "moving")?;
    let now = world.clock.now();
    let hour = i64::try_from(HOUR.as_micros())?;
    let mut number = 4;
    for (step, ahead) in [hour, 0, -hour, hour, 0].into_iter().enumerate() {
        world.clock.set(now + ahead)?;
        let should = if ahead > 0 { Presence::Gone } else { Presence::Live };
        if world.client.get("ending")?.is_some() != (should == Presence::Live) {
            bail!("a session that ends in half an hour is not {should:?} with the clock at {ahead}");
        }
        if ahead > 0 {
            world.wait_for_upkeep(step as u64)?;
        }
        for _ in 0..2 {
            world.append("moving", number)?;
            number += 1;
            let updated = update_time(world, "moving")?;
            if updated <= last {
                bail!("the update time went from {last} to {updated}");
            }
            last = updated;
        }
        // A walk that began before the first jump goes on.
        let (rest, _) = world.client.page("moving", 100, &token)?.context("a live session is gone")?;
        if !first.iter().chain(&rest).copied().eq(0..number) {
            bail!("a walk over the events gave {first:?} and {rest:?}");
        }
    }
    if world.client.events("ending")? != Some(vec![0]) {
        bail!("a session that has not ended lost its event while the clock was ahead");
    }
    Ok(())
}

/// A clock that is far ahead hides sessions, and frees none unless it stays so.
fn jumps_by_years(world: &mut World<'_>) -> Result<()> {
    world.client.create("ended", Some(A_DAY))?;
    world.run_for(DAY)?;
    world.database().wait_for_sessions(0)?;
    for id in ["a", "b"] {
        world.client.create(id, Some(A_DAY))?;
        world.append(id, 0)?;
    }
    // While the server runs, and when it starts.
    world.clock.pass(YEARS)?;
    for step in 0..2 {
        world.client.expect("a", Presence::Gone, 9)?;
        world.wait_for_upkeep(step)?;
        world.kill()?;
        world.start()?;
    }
    world.clock.go_back(YEARS)?;
    world.wait_for_upkeep(4)?;
    for id in ["a", "b"] {
        if world.client.events(id)? != Some(vec![0]) {
            bail!("session {id} was lost to a clock that was wrong for a while");
        }
    }
    world.append("a", 1)?;

    // One that stays so is believed in the end.
    world.clock.pass(YEARS)?;
    world.kill()?;
    world.start()?;
    world.wait_for_upkeep(5)?;
    world.stop()?;
    world.database().set_lasted(DAY)?;
    world.start()?;
    world.database().wait_for_sessions(0)
}

fn update_time(world: &World<'_>, id: &str) -> Result<jiff::Timestamp> {
    let session = world.client.get(id)?.context("a live session is gone")?;
    let time = session.get("updateTime").and_then(Value::as_str).context("a session has an update time")?;
    Ok(time.parse()?)
}

/// Many sessions end at once. Their sweep is killed half way, and appends go on meanwhile.
fn sweep(world: &mut World<'_>, count: usize, random: &mut SplitMix) -> Result<()> {
    let live: Vec<String> = (0..LIVE).map(|number| format!("live-{number}")).collect();
    let started = Instant::now();
    let (url, engine) = (world.url()?, world.engine.clone());
    make(&url, &engine, "live", LIVE, None)?;
    make(&url, &engine, "ended", count, Some(A_DAY))?;
    let made_in = started.elapsed();
    let numbers = AtomicU64::new(1);
    let rest = || {
        thread::sleep(QUIET);
        Ok(())
    };
    let (quiet, ()) = append_during(&url, &engine, &live, &numbers, rest)?;
    let (pages_before, _) = world.database().pages()?;

    world.stop()?;
    world.clock.pass(DAY)?;
    world.database().set_horizon(world.clock.now())?;
    let everything = i64::try_from(count + LIVE)?;
    let alive = i64::try_from(LIVE)?;
    let mut cut_short = 0;
    for _ in 0..KILLS {
        world.start()?;
        thread::sleep(Duration::from_millis(20 + random.below(180)));
        world.kill()?;
        let Counts { sessions, orphans } = world.database().counts()?;
        if sessions < alive {
            bail!("{sessions} sessions are left, and {LIVE} are alive");
        }
        if orphans > 0 {
            bail!("{orphans} rows belong to no session after a kill with {sessions} left");
        }
        cut_short += u32::from(sessions > alive && sessions < everything);
    }
    world.start()?;
    let url = world.url()?;
    let started = Instant::now();
    let database = world.database();
    let (busy, swept_in) = append_during(&url, &engine, &live, &numbers, || {
        database.wait_for_sessions(alive)?;
        Ok(started.elapsed())
    })?;
    let Counts { orphans, .. } = database.counts()?;
    if orphans > 0 {
        bail!("{orphans} rows of swept sessions are left");
    }
    let (pages, free) = database.pages()?;
    let ratio = busy.p99().as_secs_f64() / quiet.p99().as_secs_f64().max(f64::EPSILON);
    println!(
        "{count} sessions made in {:.1} s, swept in {:.1} s beside appends after {KILLS} kills ({cut_short} of them half way): \
         append p99 {:.1} ms, quiet {:.1} ms, ratio {ratio:.1}; {pages_before} pages before, {pages} after, {free} of them free",
        made_in.as_secs_f64(),
        swept_in.as_secs_f64(),
        busy.p99().as_secs_f64() * 1e3,
        quiet.p99().as_secs_f64() * 1e3,
    );
    if ratio > GROSS && busy.p99() > SHORT {
        bail!("appends took {ratio:.1} times as long during the sweep");
    }
    // The rows of a session that ended take a page or so for each ten: what holds nothing now can be used again.
    if free * 4 < pages_before {
        bail!("of {pages_before} pages only {free} became free");
    }
    let (refill, ()) = append_during(&url, &engine, &live, &numbers, rest)?;
    let (pages_later, free_later) = database.pages()?;
    if pages_later > pages && free_later > 0 {
        bail!("the database grew from {pages} to {pages_later} pages with {free_later} of them free");
    }
    check_events(world, &[quiet, busy, refill])
}

/// Live sessions have all their events, in the order in which they were acknowledged.
fn check_events(world: &mut World<'_>, loads: &[Load]) -> Result<()> {
    let mut expected = BTreeMap::<&str, Vec<u64>>::new();
    for (session, number) in loads.iter().flat_map(|load| &load.acknowledged) {
        expected.entry(session).or_default().push(*number);
    }
    for (session, numbers) in expected {
        world.tally.acknowledged += numbers.len() as u64;
        let events = world.client.events(session)?.with_context(|| format!("the live {session} is gone"))?;
        // The first one may be from when it was made.
        let events: Vec<u64> = events.into_iter().filter(|number| *number != 0).collect();
        if events != numbers {
            bail!("{session} has {} events of {} that were acknowledged", events.len(), numbers.len());
        }
    }
    Ok(())
}
