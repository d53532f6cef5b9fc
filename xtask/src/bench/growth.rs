//! Growth: what an append and a list cost as a session and an engine grow; memory, disk and starts.

mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use self::report::{Grown, Measured};
use super::figures::{Sample, median};
use super::load::{Protocol, Until};
use super::process::{self, Memory};
use super::subject::Subject;
use super::walk::{Read, Walk};
use super::{Bench, SESSIONS, Section, conditions, seed};

const CLIENTS: usize = 32;
/// Sessions that are appended to while their length is measured.
const GROUP: usize = 4;
/// Turns of the comparison by length, each with new sessions, but for the longest.
const TURNS: usize = 20;
/// Appends of each client in a turn: few, so that a short session stays short.
const IN_A_TURN: usize = 12;
/// The smallest large engine.
const LEAST_LARGE: usize = 100 * GROUP * (2 * TURNS + 1);
/// Sessions picked at random all over the engine.
const SCATTERED: usize = 10_000;
/// Events that are appended to see what they take on disk.
const ON_DISK: usize = 100_000;

/// Where growth is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

/// An engine of some size.
struct Engine {
    size: usize,
    subject: Subject,
    hot: Vec<Sample>,
    scattered: Vec<Sample>,
    list: Read,
}

/// Measures on one store; the part's name is also that of its plot.
pub(crate) fn run(bench: &Bench<'_>, store: Store, part: &str) -> Result<Section> {
    let grown = grow(bench, store)?;
    Ok(report::section(&grown, part, &conditions::paragraph(bench, part, &[])?))
}

fn grow(bench: &Bench<'_>, store: Store) -> Result<Grown> {
    let large = bench.options.large;
    if large < LEAST_LARGE {
        bail!("--large must be at least {LEAST_LARGE}: a hundredth of it has to hold what is appended to");
    }
    let on_disk = on_disk(bench, store)?;
    let mut engines = Vec::new();
    for size in [large / 100, large / 10, large] {
        println!("growth: {} sessions on {}", size, store.name());
        let subject = store.start(bench, &size.to_string())?;
        seed::sessions(&subject, size)?;
        engines.push(Engine { size, subject, hot: Vec::new(), scattered: Vec::new(), list: Read::default() });
    }
    let by_length = by_length(bench, &engines.first().context("a small engine")?.subject)?;
    for run in 1..=bench.options.runs {
        println!("growth: run {run} of {}", bench.options.runs);
        for engine in &mut engines {
            engine.measure(bench.time)?;
        }
    }
    let memory: Vec<(usize, Memory)> = engines
        .iter()
        .map(|engine| Ok((engine.size, process::memory(engine.subject.server.id())?)))
        .collect::<Result<_>>()?;
    let by_engine = |samples: fn(&Engine) -> &[Sample]| -> Vec<Measured> {
        engines.iter().map(|engine| Measured::of(engine.size, samples(engine))).collect()
    };
    let (hot, scattered) = (by_engine(|engine| &engine.hot), by_engine(|engine| &engine.scattered));
    let lists: Vec<(usize, Read)> = engines.iter().map(|engine| (engine.size, engine.list.clone())).collect();
    let largest = engines.pop().context("a large engine")?;
    drop(engines);
    let start = first_answer(largest.subject, bench.options.runs)?;
    Ok(Grown { store: store.name(), by_length, hot, scattered, lists, memory, on_disk, start })
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// A server with an empty store of its own.
    fn start(self, bench: &Bench<'_>, name: &str) -> Result<Subject> {
        let folder = bench.workspace.scratch(&format!("bench-growth-{}-{name}", self.name()))?;
        match self {
            Self::Sqlite => Subject::start(&bench.binary, folder, &[], SESSIONS),
            Self::Postgres => {
                let database = bench.postgres.make(&database(name))?;
                Subject::start(&bench.binary, folder, &["--store", &database], SESSIONS)
            }
        }
    }

    /// How much the store takes, in bytes.
    fn bytes(self, bench: &Bench<'_>, name: &str, subject: &Subject) -> Result<u64> {
        match self {
            Self::Sqlite => folder_bytes(&subject.data_directory()),
            Self::Postgres => bench.postgres.bytes(&database(name)),
        }
    }
}

fn database(name: &str) -> String {
    format!("growth_{name}")
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

impl Engine {
    /// Appends to a few sessions and to many, and lists those of a user.
    fn measure(&mut self, time: Duration) -> Result<()> {
        let engine = &self.subject.engine;
        let names = |numbers: Vec<usize>| -> Vec<String> {
            numbers.into_iter().map(|number| seed::session(engine, number)).collect()
        };
        // Far apart: the oldest, the newest and those between.
        let hot = names((0..SESSIONS).map(|place| place * (self.size - 1) / (SESSIONS - 1)).collect());
        let scattered = names(seed::picked(SCATTERED, self.size));
        self.hot.push(self.subject.measure_on(&hot, Protocol::Rest, CLIENTS, Until::Time(time))?);
        self.scattered.push(self.subject.measure_on(
            &scattered,
            Protocol::Rest,
            CLIENTS,
            Until::Time(time),
        )?);
        let list = Walk::sessions_of_user(engine, &seed::user(self.size / 2, self.size));
        list.measure(&self.subject.server, Protocol::Rest, time / 2, &mut self.list)
    }
}

/// What an append costs by how many events its session has.
fn by_length(bench: &Bench<'_>, subject: &Subject) -> Result<Vec<Measured>> {
    let long = bench.options.long;
    let made = |name: &str, group: &[String]| println!("growth: {} sessions with {name} events", group.len());
    let group = |first: usize| -> Vec<String> {
        (first..first + GROUP).map(|number| seed::session(&subject.engine, number)).collect()
    };
    let longest = group(0);
    seed::events(subject, &longest, long)?;
    made(&long.to_string(), &longest);
    let lengths = [1, long / 100, long];
    let mut samples: [Vec<Sample>; 3] = Default::default();
    for turn in 0..TURNS {
        for (place, (length, samples)) in lengths.into_iter().zip(&mut samples).enumerate() {
            let sessions =
                if length == long { longest.clone() } else { group(GROUP * (1 + turn * 2 + place)) };
            if length < long {
                seed::events(subject, &sessions, length)?;
            }
            let until = Until::Count(IN_A_TURN);
            samples.push(subject.measure_on(&sessions, Protocol::Rest, CLIENTS, until)?);
        }
    }
    Ok(lengths.into_iter().zip(&samples).map(|(length, samples)| Measured::of(length, samples)).collect())
}

/// Bytes on disk for each event, in a store that has been closed and so has tidied up.
fn on_disk(bench: &Bench<'_>, store: Store) -> Result<f64> {
    println!("growth: bytes on disk on {}", store.name());
    let (subject, _) = store.start(bench, "disk")?.restart()?;
    let before = store.bytes(bench, "disk", &subject)?;
    seed::events(&subject, &subject.sessions, ON_DISK.div_ceil(SESSIONS))?;
    let events = ON_DISK.div_ceil(SESSIONS) * SESSIONS;
    let (subject, _) = subject.restart()?;
    let after = store.bytes(bench, "disk", &subject)?;
    Ok(after.saturating_sub(before) as f64 / events as f64)
}

/// From the start of the process to the first answer, in milliseconds.
fn first_answer(mut subject: Subject, runs: u8) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let (again, took) = subject.restart()?;
        subject = again;
        times.push(took.as_secs_f64() * 1e3);
    }
    Ok(median(times))
}
