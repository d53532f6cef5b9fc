//! Reading: sessions of different lengths, whole and only their newest events, over both protocols and from both
//! stores; beside ADK's own session services.

use anyhow::{Context as _, Result};

use super::adk::Python;
use super::bars::{self, Bar, Bound};
use super::figures::{Sample, count, head, median_of, number, row};
use super::load::{Protocol, Until};
use super::plot::{Axis, Curve, Plot};
use super::subject::Subject;
use super::walk::{Read, Walk};
use super::{Bench, Section, conditions};

/// How many events the sessions have.
const LENGTHS: [usize; 4] = [10, 100, 1000, 10_000];
/// Where the bar is held, and where ADK is measured.
const BAR_LENGTH: usize = 1000;
const BAR_MILLISECONDS: f64 = 3.0;
/// How many of the newest events are read, of the longest session.
const NEWEST: usize = 20;
/// How many clients fill a session.
const FILLERS: usize = 10;
const PLOT: &str = "reading.svg";
const PROTOCOLS: [Protocol; 2] = [Protocol::Rest, Protocol::Grpc];

/// Something to read, and how it went.
struct Line {
    store: &'static str,
    protocol: Protocol,
    /// How many events the session has.
    length: usize,
    /// How many are read of them.
    events: usize,
    walk: Walk,
    read: Read,
}

/// How ADK reads a session with [`BAR_LENGTH`] events.
struct AdkLine {
    name: &'static str,
    samples: Vec<Sample>,
}

/// Measures everything in turn.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Section> {
    let time = bench.time / 2;
    let database = bench.postgres.make("reading")?;
    let start = |name: &str, flags: &[&str]| {
        Subject::start(&bench.binary, bench.workspace.scratch(name)?, flags, LENGTHS.len())
    };
    let subjects = [
        ("SQLite", start("bench-reading-sqlite", &[])?),
        ("PostgreSQL", start("bench-reading-postgres", &["--store", &database])?),
    ];
    let mut lines = Vec::new();
    for (store, subject) in &subjects {
        println!("reading: filling sessions on {store}");
        lines.extend(lines_of(store, subject)?);
    }
    for run in 1..=bench.options.runs {
        println!("reading: run {run} of {}", bench.options.runs);
        for line in &mut lines {
            let subject = subjects.iter().find(|(store, _)| *store == line.store).context("a store")?;
            line.walk.measure(&subject.1.server, line.protocol, time, &mut line.read)?;
        }
    }
    drop(subjects);

    let python = Python::install(bench.workspace)?;
    let folder = bench.workspace.scratch("bench-reading-adk")?;
    let file = |name: &str| folder.path.join(name).display().to_string();
    let database = bench.postgres.make("adk_reading")?.replace("postgres://", "postgresql+asyncpg://");
    let services = [
        ("ADK Sqlite", "sqlite", file("sqlite.db")),
        ("ADK Database on SQLite", "database", format!("sqlite+aiosqlite:///{}", file("database.db"))),
        ("ADK Database on PostgreSQL", "database", database),
        ("ADK InMemory (not durable)", "memory", String::new()),
    ];
    let mut adk = Vec::new();
    let mut versions = Vec::new();
    for (name, service, place) in services {
        println!("reading: {name}");
        let mut process = python.start(&folder.path, service, &place)?;
        let samples: Result<Vec<Sample>> =
            (0..bench.options.runs).map(|_| process.read(BAR_LENGTH, time)).collect();
        versions.clone_from(&process.versions);
        adk.push(AdkLine { name, samples: samples? });
    }
    section(&lines, &adk, &conditions::paragraph(bench, "reading", &versions)?)
}

/// Fills the sessions, and says what is to be read of them.
fn lines_of(store: &'static str, subject: &Subject) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (session, length) in subject.sessions.iter().zip(LENGTHS) {
        let one = std::slice::from_ref(session);
        subject.measure_on(one, Protocol::Rest, FILLERS, Until::Count(length / FILLERS))?;
        let whole = Walk::whole_session(&subject.server, session, length)?;
        for protocol in PROTOCOLS {
            let line = |events, walk| Line { store, protocol, length, events, walk, read: Read::default() };
            lines.push(line(length, whole.clone()));
            if Some(&length) == LENGTHS.last() {
                lines.push(line(NEWEST, Walk::newest_events(session, NEWEST)));
            }
        }
    }
    Ok(lines)
}

fn section(lines: &[Line], adk: &[AdkLine], conditions: &str) -> Result<Section> {
    let bars: Vec<Bar> = lines
        .iter()
        .filter(|line| line.store == "SQLite" && line.events == BAR_LENGTH)
        .map(|line| Bar {
            what: format!("read {BAR_LENGTH} events from {}, {}, server time", line.store, line.protocol),
            figure: line.read.server_time(),
            unit: "ms",
            bound: Bound::AtMost(BAR_MILLISECONDS),
        })
        .collect();
    let mut markdown = format!(
        "{conditions}\n{}\n![Time to read a session against its events](benchmarks/{PLOT})\n\n\
         A session is read as clients do: the session, then its events by pages of 100, over one kept connection. \
         *Server time* is the median at the client less as many requests for nothing (`/healthz`, gRPC's health \
         check) over the same connection. CPU is the server's, without PostgreSQL's own.\n\n",
        bars::table(&bars)
    );
    markdown.push_str(&head(&["", "events read", "p50 ms", "p99 ms", "server time ms", "CPU ms"]));
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| (line.length, line.events));
    for line in sorted {
        let of = if line.events == line.length {
            count(line.events)
        } else {
            format!("newest {} of {}", line.events, count(line.length))
        };
        let figures = [line.read.at_client(), line.read.p99(), line.read.server_time(), line.read.cpu()];
        let mut cells = vec![format!("{}, {}", line.store, line.protocol), of];
        cells.extend(figures.map(number));
        markdown.push_str(&row(&cells));
    }
    let ours = lines
        .iter()
        .find(|line| line.store == "SQLite" && line.protocol == Protocol::Rest && line.events == BAR_LENGTH);
    let ours = ours.map_or(f64::NAN, |line| line.read.at_client());
    markdown.push_str(&format!(
        "\nADK's `get_session` of {} events, in process, against SQLite over REST at the client:\n\n{}",
        count(BAR_LENGTH),
        head(&["", "p50 ms", "p99 ms", "times as long"])
    ));
    for line in adk {
        let [p50, p99] =
            [50, 99].map(|percent| median_of(&line.samples, |sample| sample.percentile(percent)));
        markdown.push_str(&row(&[line.name.to_owned(), number(p50), number(p99), number(p50 / ours)]));
    }
    Ok(Section { markdown, bars, plots: vec![(PLOT.to_owned(), plot(lines).svg())] })
}

fn plot(lines: &[Line]) -> Plot {
    let mut curves: Vec<Curve> = Vec::new();
    for line in lines.iter().filter(|line| line.events == line.length) {
        let name = format!("{}, {}", line.store, line.protocol);
        let point = (line.length as f64, line.read.server_time());
        match curves.iter_mut().find(|curve| curve.name == name) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { name, points: vec![point], dashed: line.store == "PostgreSQL" }),
        }
    }
    Plot {
        title: "Server time to read a session, by its events",
        x: Axis { label: "events in the session", logarithmic: true },
        y: Axis { label: "milliseconds", logarithmic: true },
        curves,
    }
}
