//! The power fails: every write of a server is recorded, and data directories are made as a loss of power at some
//! moment might leave them. The server must start on each, with all that it had acknowledged until then.

mod image;
mod record;
mod tails;
mod trial;

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::image::{Disk, Files, Unsynced};
use self::record::Record;
use self::trial::{Case, Verdict};
use super::ledger::{self, Ledger};
use super::{Tally, Trial, strace};
use crate::random::SplitMix;
use crate::rest::Rest;
use crate::server::{QUIET, Server, serve_arguments};
use crate::workspace::{Scratch, Workspace};

/// So many clients write, in bursts of so many appends, with a copy of the log into the database between them.
const CLIENTS: usize = 6;
const BURSTS: usize = 3;
const APPENDS: usize = 60;
/// One record begins with nothing, the next with what a loss of power left of that.
const RECORDS: u32 = 2;
/// How many moments of a record are tried, each in three ways.
const MOMENTS: usize = 90;
/// How many of them once more with the syncs of the log struck out.
const STRUCK_OUT: usize = 8;
/// How many images are tried at a time.
const AT_A_TIME: usize = 3;
const CHECKPOINT_LIMIT: Duration = Duration::from_secs(10);
const RECORD_LIMIT: Duration = Duration::from_secs(20);
/// Where files are in memory, so that syncing them costs nothing.
const MEMORY: &str = "/dev/shm";
/// How many problems are printed.
const SHOWN: usize = 10;

/// What was tried, and what came of it.
#[derive(Debug, Default)]
struct Sum {
    records: u32,
    images: u64,
    tails: u64,
    damaged: u64,
    acknowledged: u64,
    struck_out: u64,
    lost_without_syncs: u64,
}

/// Runs the program.
///
/// # Errors
/// When there is no strace, when a promise is broken, or when striking out the syncs loses nothing, so that the
/// rest shows nothing.
pub(super) fn trial(trial: &Trial<'_>) -> Result<Tally> {
    strace::require()?;
    let mut sum = Sum::default();
    let mut left = None;
    while trial.goes_on(sum.records, RECORDS) {
        let seed = trial.seed.wrapping_add(u64::from(sum.records));
        let scratch = trial.workspace.scratch("power")?;
        let done = round(trial, &scratch.path, seed, left.take(), &mut sum).map_err(|error| {
            error.context(format!("the record and what failed are kept in {}", scratch.keep().display()))
        })?;
        sum.records += 1;
        left = done.filter(|_| !sum.records.is_multiple_of(RECORDS));
    }
    Ok(Tally {
        tried: format!(
            "{} images of {} records, {} torn tails, {} damaged logs refused, {} of {} images without syncs lost something",
            sum.images, sum.records, sum.tails, sum.damaged, sum.lost_without_syncs, sum.struck_out
        ),
        acknowledged: sum.acknowledged,
        lost: 0,
    })
}

/// What a loss of power left, and the ledger until then.
type Left = (Files, Ledger);

/// One record, and what can be made of it; gives what one loss of power left.
fn round(
    trial: &Trial<'_>,
    folder: &Path,
    seed: u64,
    left: Option<Left>,
    sum: &mut Sum,
) -> Result<Option<Left>> {
    let data = folder.join("data");
    let begun = if left.is_some() { "what a loss of power left" } else { "nothing" };
    let known = left.as_ref().map_or(0, |(_, ledger)| ledger.entries.len());
    let taken = Taken::take(trial.binary, folder, &data, left)?;
    let mut random = SplitMix::new(seed);
    let images = memory_scratch(trial.workspace)?;
    let try_all = |cases: Vec<Case>| try_all(trial.binary, &images.path, &taken.ledger, cases);

    let cases = cases(&taken, &data, None, MOMENTS, &mut random)?;
    sum.images += cases.len() as u64;
    conclude(&try_all(cases)?, folder)?;

    let (torn, damaged) = tails::cases(&taken, &data, &mut random)?;
    (sum.tails, sum.damaged) = (sum.tails + torn.len() as u64, sum.damaged + damaged.len() as u64);
    conclude(&try_all(torn.into_iter().chain(damaged).collect())?, folder)?;

    let log = data.join("colloquy.db-wal");
    let struck_out = self::cases(&taken, &data, Some(&log), STRUCK_OUT, &mut random)?;
    sum.struck_out += struck_out.len() as u64;
    let lost = try_all(struck_out)?.iter().filter(|(_, verdict)| verdict.problem.is_some()).count() as u64;
    if lost == 0 {
        bail!("without the syncs of the log nothing was lost: these images show nothing");
    }
    sum.lost_without_syncs += lost;
    let acknowledged = taken.ledger.entries.len() - known;
    sum.acknowledged += acknowledged as u64;
    println!(
        "seed {seed}: {} calls recorded that begin with {begun}, {acknowledged} appends acknowledged",
        taken.record.ops.len(),
    );
    Ok(taken.leave(&data, &mut random))
}

/// A record of a server, with the ledger of those who wrote to it.
#[derive(Debug)]
struct Taken {
    record: Record,
    ledger: Ledger,
    /// What was in the data directory before, if it was there.
    before: Option<Files>,
    /// Before that not all sessions were there.
    complete: f64,
}

impl Taken {
    fn take(binary: &Path, folder: &Path, data: &Path, left: Option<Left>) -> Result<Self> {
        let (ledger, before) = match left {
            Some((files, ledger)) => {
                image::write(&files, data)?;
                (Some(ledger), Some(image::read(data)?))
            }
            None => (None, None),
        };
        let path = folder.join("record");
        let mut command = Command::new("strace");
        // The server is the child, and strace the bystander; only the calls that are recorded are held up.
        command.args(["-D", "-f", "-y", "-xx", "-ttt", "-q", "--seccomp-bpf", "-s", "16777216"]);
        command.arg(format!("--trace={}", record::CALLS)).arg("-o").arg(&path);
        command.arg(binary).args(serve_arguments(data, &QUIET));
        let server = Server::run(command, data)?;
        let (mut ledger, complete) = match ledger {
            Some(ledger) => (ledger, 0.0),
            None => (create(&server)?, ledger::now()),
        };
        let known = ledger.entries.len();
        for burst in 1..=BURSTS {
            let until = ledger.entries.len() + APPENDS;
            ledger.write(&server.url, |acknowledged| acknowledged < until)?;
            if burst < BURSTS {
                wait_for_checkpoint(&data.join("colloquy.db"))?;
            }
        }
        let process = server.id();
        server.stop()?;
        wait_for_end(&path, process)?;
        let lines = BufReader::new(File::open(&path).context("strace wrote no record")?);
        let record = Record::read(lines, data)?;
        if let Some(entry) = ledger.entries.iter().skip(known).find(|entry| !entry.is_acknowledged()) {
            bail!("the server did not take an append: {entry:?}");
        }
        Ok(Self { record, ledger, before, complete })
    }

    /// What a loss of power late in the record leaves, for a server that goes on with it.
    fn leave(self, data: &Path, random: &mut SplitMix) -> Option<Left> {
        let lines = self.record.times.len();
        let line = lines / 2 + random.index(lines / 2);
        let time = self.record.times.get(line).copied().filter(|time| *time > self.complete)?;
        let mut disk = Disk::new(&self.record, data, self.before.as_ref(), None);
        disk.advance(line);
        let unsynced = random.pick(&[Unsynced::Kept, Unsynced::Chance]).copied()?;
        let files = disk.image(unsynced, random);
        let mut ledger = self.ledger;
        ledger.forget_after(time);
        Some((files, ledger))
    }
}

fn create(server: &Server) -> Result<Ledger> {
    let engine = Rest::new(&server.url).create_engine().context("cannot create an engine")?;
    Ledger::create(&server.url, &engine, "power", CLIENTS)
}

/// Waits until the log is copied into the database, so that it begins anew with the next write.
fn wait_for_checkpoint(database: &Path) -> Result<()> {
    let modified = || std::fs::metadata(database).and_then(|file| file.modified());
    let (before, started) = (modified()?, Instant::now());
    while modified()? == before {
        if started.elapsed() > CHECKPOINT_LIMIT {
            bail!("the log was not copied into the database in {} s", CHECKPOINT_LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Waits until strace has written down the end of the process.
fn wait_for_end(record: &Path, process: u32) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut file = File::open(record).context("strace wrote no record")?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let tail = String::from_utf8_lossy(&tail);
        if tail.lines().any(|line| line.starts_with(&format!("{process} ")) && line.contains(" +++ exited")) {
            return Ok(());
        }
        if started.elapsed() > RECORD_LIMIT {
            bail!("strace did not write down the end of the server");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Images of some moments of a record: most are just before or after a sync begins or ends.
fn cases(
    taken: &Taken,
    data: &Path,
    struck_out: Option<&Path>,
    moments: usize,
    random: &mut SplitMix,
) -> Result<Vec<Case>> {
    let record = &taken.record;
    let syncs: Vec<_> = record.ops.iter().filter(|op| matches!(op.call, record::Call::Sync(_))).collect();
    let mut lines: Vec<usize> = (0..moments)
        .filter_map(|moment| {
            if moment % 3 == 0 {
                return Some(random.index(record.times.len()));
            }
            let sync = random.pick(&syncs)?;
            random.pick(&[sync.begin, sync.begin + 1, sync.end + 1]).copied()
        })
        .collect();
    lines.sort_unstable();
    let mut disk = Disk::new(record, data, taken.before.as_ref(), struck_out);
    let mut cases = Vec::new();
    for line in lines {
        disk.advance(line);
        // What was answered before the next call was made is covered by the calls until then.
        let time = record.times.get(line).copied().unwrap_or(f64::INFINITY);
        for unsynced in [Unsynced::Lost, Unsynced::Kept, Unsynced::Chance] {
            let what = format!("before line {line}, what was not synced {unsynced:?}");
            let files = disk.image(unsynced, random);
            let written_to = time > taken.complete;
            cases.push(Case { what, files, time, written_to, may_be_damaged: false, damaged_at: None });
        }
    }
    Ok(cases)
}

/// Tries all cases, a few at a time.
fn try_all(binary: &Path, images: &Path, ledger: &Ledger, cases: Vec<Case>) -> Result<Vec<(Case, Verdict)>> {
    let waiting = Mutex::new(cases.into_iter().enumerate());
    let next = || waiting.lock().ok()?.next();
    let parts = std::thread::scope(|scope| {
        let running: Vec<_> = (0..AT_A_TIME)
            .map(|_| {
                scope.spawn(|| {
                    let mut tried = Vec::new();
                    while let Some((number, case)) = next() {
                        let verdict = case.run(binary, &images.join(number.to_string()), ledger)?;
                        tried.push((case, verdict));
                    }
                    Ok(tried)
                })
            })
            .collect();
        running.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut tried = Vec::new();
    for part in parts {
        let part: Result<Vec<_>> = part.map_err(|_| anyhow::anyhow!("a trial panicked"))?;
        tried.extend(part?);
    }
    Ok(tried)
}

/// Prints and keeps what broke a promise, if anything did.
fn conclude(tried: &[(Case, Verdict)], folder: &Path) -> Result<()> {
    let failed = tried.iter().filter_map(|(case, verdict)| Some((case, verdict.problem.as_ref()?)));
    let failed: Vec<_> = failed.collect();
    for (number, (case, problem)) in failed.iter().take(SHOWN).enumerate() {
        println!("  {}: {problem}", case.what);
        image::write(&case.files, &folder.join(format!("failed-{number}")))?;
    }
    if !failed.is_empty() {
        bail!("{} of {} images broke a promise", failed.len(), tried.len());
    }
    Ok(())
}

/// A folder in memory where there is one, else on the disk.
fn memory_scratch(workspace: &Workspace) -> Result<Scratch> {
    let path = PathBuf::from(MEMORY).join(format!("colloquy-power-{}", std::process::id()));
    match std::fs::create_dir(&path) {
        Ok(()) => Ok(Scratch { path }),
        Err(_) => workspace.scratch("power-images"),
    }
}
