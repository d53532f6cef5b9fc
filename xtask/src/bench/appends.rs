//! Appends: by how many clients, over which protocol, to which store; beside the same server without storage, the bare
//! engines, and ADK's own session services.

use anyhow::Result;

use super::adk::{Adk, Python};
use super::bare::BarePostgres;
use super::bars::{self, Bar, Bound};
use super::figures::{Sample, head, median_of, number, row};
use super::load::{Protocol, Until};
use super::plot::{Axis, Curve, Plot};
use super::subject::Subject;
use super::{Bench, SESSIONS, Section, conditions};

/// Where bars are held.
const BAR_CLIENTS: usize = 32;
/// How many tasks append at a time in ADK's process; more only wait for each other.
const ADK_CLIENTS: [usize; 2] = [1, 32];
/// Makes the server parse and answer appends, and store nothing.
const NOTHING: &str = "--bench-null-append";
const PLOT: &str = "throughput.svg";

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Sqlite(Protocol),
    Postgres(Protocol),
    Ceiling(Protocol),
    BareSqlite,
    PgBench,
    AdkMemory,
    AdkSqlite,
    AdkDatabaseSqlite,
    AdkDatabasePostgres,
}

/// All runs of one doer with one number of clients.
struct Line {
    who: Who,
    clients: usize,
    per_second: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
    /// What PostgreSQL takes, where it is that which stores.
    beside: f64,
}

/// Runs of one doer, before they are one line.
struct Runs {
    who: Who,
    clients: usize,
    samples: Vec<Sample>,
}

const SERVED: [Who; 6] = [
    Who::Sqlite(Protocol::Rest),
    Who::Sqlite(Protocol::Grpc),
    Who::Postgres(Protocol::Rest),
    Who::Postgres(Protocol::Grpc),
    Who::Ceiling(Protocol::Rest),
    Who::Ceiling(Protocol::Grpc),
];
const ADK: [Who; 4] = [Who::AdkDatabaseSqlite, Who::AdkSqlite, Who::AdkDatabasePostgres, Who::AdkMemory];

impl Who {
    fn name(self) -> String {
        match self {
            Self::Sqlite(protocol) => format!("Colloquy on SQLite, {protocol}"),
            Self::Postgres(protocol) => format!("Colloquy on PostgreSQL, {protocol}"),
            Self::Ceiling(protocol) => format!("Colloquy without storage, {protocol}"),
            Self::BareSqlite => "bare SQLite, batches of as many".to_owned(),
            Self::PgBench => "pgbench, single-row inserts".to_owned(),
            Self::AdkMemory => "ADK InMemory (not durable)".to_owned(),
            Self::AdkSqlite => "ADK Sqlite".to_owned(),
            Self::AdkDatabaseSqlite => "ADK Database on SQLite".to_owned(),
            Self::AdkDatabasePostgres => "ADK Database on PostgreSQL".to_owned(),
        }
    }

    fn is_on_postgres(self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PgBench | Self::AdkDatabasePostgres)
    }

    /// What its storage is held against: the same without.
    fn ceiling(self) -> Option<Self> {
        match self {
            Self::Sqlite(protocol) | Self::Postgres(protocol) => Some(Self::Ceiling(protocol)),
            _ => None,
        }
    }
}

/// Measures everything in turn.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Section> {
    let start = |name: &str, flags: &[&str]| -> Result<Subject> {
        Subject::start(&bench.binary, bench.workspace.scratch(name)?, flags, SESSIONS)
    };
    let sqlite = start("bench-sqlite", &[])?;
    let database = bench.postgres.make("appends")?;
    let postgres = start("bench-postgres", &["--store", &database])?;
    let ceiling = start("bench-ceiling", &[NOTHING])?;
    let pgbench = BarePostgres::start(bench.workspace, &bench.postgres)?;
    let python = Python::install(bench.workspace)?;
    let folder = bench.workspace.scratch("bench-adk")?;
    let file = |name: &str| folder.path.join(name).display().to_string();
    let adk_database = bench.postgres.make("adk")?.replace("postgres://", "postgresql+asyncpg://");
    let mut adk: Vec<(Who, Adk)> = Vec::new();
    for who in ADK {
        let started = match who {
            Who::AdkSqlite => python.start(&folder.path, "sqlite", &file("sqlite.db")),
            Who::AdkDatabaseSqlite => python.start(
                &folder.path,
                "database",
                &format!("sqlite+aiosqlite:///{}", file("database.db")),
            ),
            Who::AdkDatabasePostgres => python.start(&folder.path, "database", &adk_database),
            _ => python.start(&folder.path, "memory", ""),
        };
        adk.push((who, started?));
    }

    let mut all: Vec<Runs> = Vec::new();
    for run in 1..=bench.options.runs {
        for &clients in &bench.options.clients {
            println!("appends: run {run} of {}, {clients} clients", bench.options.runs);
            for who in SERVED {
                let (subject, protocol) = match who {
                    Who::Postgres(protocol) => (&postgres, protocol),
                    Who::Ceiling(protocol) => (&ceiling, protocol),
                    Who::Sqlite(protocol) => (&sqlite, protocol),
                    _ => continue,
                };
                let sample = with_database(bench, who, || {
                    subject.measure(protocol, clients, Until::Time(bench.time))
                })?;
                runs_of(&mut all, who, clients).samples.push(sample);
            }
            let sample = bench.bare_sqlite.measure(clients, bench.time)?;
            runs_of(&mut all, Who::BareSqlite, clients).samples.push(sample);
            if clients <= BarePostgres::MOST_CLIENTS {
                let sample = with_database(bench, Who::PgBench, || {
                    pgbench.measure(&bench.postgres, clients, bench.time)
                })?;
                runs_of(&mut all, Who::PgBench, clients).samples.push(sample);
            }
        }
        println!("appends: run {run} of {}, ADK", bench.options.runs);
        for (who, process) in &mut adk {
            for clients in ADK_CLIENTS {
                let sample = with_database(bench, *who, || process.append(clients, bench.time))?;
                runs_of(&mut all, *who, clients).samples.push(sample);
            }
        }
    }
    let lines: Vec<Line> = all.iter().map(Runs::line).collect();
    let versions = adk.first().map(|(_, process)| process.versions.clone()).unwrap_or_default();
    section(bench, &lines, &conditions::paragraph(bench, "appends", &versions)?)
}

/// A measurement, with what PostgreSQL used for it if it is that which stores.
fn with_database(bench: &Bench<'_>, who: Who, measure: impl FnOnce() -> Result<Sample>) -> Result<Sample> {
    if !who.is_on_postgres() {
        return measure();
    }
    let before = bench.postgres.cpu()?;
    let mut sample = measure()?;
    sample.beside = bench.postgres.cpu()?.saturating_sub(before);
    Ok(sample)
}

fn runs_of(all: &mut Vec<Runs>, who: Who, clients: usize) -> &mut Runs {
    let is_it = |runs: &Runs| runs.who == who && runs.clients == clients;
    let place = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(Runs { who, clients, samples: Vec::new() });
        all.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "the place was found, or made")]
    &mut all[place]
}

impl Runs {
    fn line(&self) -> Line {
        let (who, clients) = (self.who, self.clients);
        let figure = |figure: fn(&Sample) -> f64| median_of(&self.samples, figure);
        // Nobody asked the engines alone what they used.
        let is_bare = matches!(who, Who::BareSqlite | Who::PgBench);
        let cpu = if is_bare { f64::NAN } else { figure(Sample::cpu_microseconds) };
        Line {
            who,
            clients,
            per_second: figure(Sample::per_second),
            p50: figure(|sample| sample.percentile(50)),
            p99: figure(|sample| sample.percentile(99)),
            cpu,
            beside: if who.is_on_postgres() { figure(Sample::beside_microseconds) } else { f64::NAN },
        }
    }
}

fn section(bench: &Bench<'_>, lines: &[Line], conditions: &str) -> Result<Section> {
    let bars = bars_of(lines);
    let mut markdown = format!(
        "{conditions}\n{}\n![Appends a second against clients](benchmarks/{PLOT})\n\n\
         CPU is that of the measured process for each append, the server's or ADK's, and beside it PostgreSQL's own. *Of \
         the ceiling*: against the same server and protocol without storage. *× ADK*: against the best durable \
         service of ADK, whatever its number of clients.\n",
        bars::table(&bars)
    );
    for &clients in &bench.options.clients {
        markdown
            .push_str(&format!("\n**{clients} {}**\n\n", if clients == 1 { "client" } else { "clients" }));
        markdown.push_str(&table(lines, clients));
    }
    let plots = vec![(PLOT.to_owned(), plot(lines).svg())];
    Ok(Section { markdown, bars, plots })
}

fn table(lines: &[Line], clients: usize) -> String {
    let mut text = head(&[
        "",
        "appends/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "PostgreSQL CPU µs",
        "of the ceiling",
        "× ADK",
    ]);
    let best = best_durable_adk(lines);
    for line in lines.iter().filter(|line| line.clients == clients) {
        let ceiling =
            line.who.ceiling().map(|ceiling| per_second(lines, ceiling, clients)).unwrap_or(f64::NAN);
        text.push_str(&row(&[
            line.who.name(),
            number(line.per_second),
            number(line.p50),
            number(line.p99),
            number(line.cpu),
            number(line.beside),
            number(line.per_second / ceiling),
            number(line.per_second / best),
        ]));
    }
    text
}

fn per_second(lines: &[Line], who: Who, clients: usize) -> f64 {
    let found = lines.iter().find(|line| line.who == who && line.clients == clients);
    found.map_or(f64::NAN, |line| line.per_second)
}

/// The most that one of some doers reached with any number of clients.
fn best(lines: &[Line], of: &[Who]) -> f64 {
    lines.iter().filter(|line| of.contains(&line.who)).map(|line| line.per_second).fold(f64::NAN, f64::max)
}

fn best_durable_adk(lines: &[Line]) -> f64 {
    best(lines, &[Who::AdkSqlite, Who::AdkDatabaseSqlite, Who::AdkDatabasePostgres])
}

fn bars_of(lines: &[Line]) -> Vec<Bar> {
    let at_bar = |who: Who| per_second(lines, who, BAR_CLIENTS);
    let bar = |what: &str, figure: f64, least: f64| Bar {
        what: format!("{what}, {BAR_CLIENTS} clients, REST"),
        figure,
        unit: "",
        bound: Bound::AtLeast(least),
    };
    let sqlite = at_bar(Who::Sqlite(Protocol::Rest));
    vec![
        bar("SQLite / the same server without storage", sqlite / at_bar(Who::Ceiling(Protocol::Rest)), 0.5),
        bar("SQLite / ADK's best durable service", sqlite / best_durable_adk(lines), 50.0),
        bar(
            "PostgreSQL / ADK on the same PostgreSQL",
            at_bar(Who::Postgres(Protocol::Rest)) / best(lines, &[Who::AdkDatabasePostgres]),
            20.0,
        ),
    ]
}

fn plot(lines: &[Line]) -> Plot {
    let mut whos: Vec<Who> = Vec::new();
    for line in lines {
        if !whos.contains(&line.who) && line.who != Who::Ceiling(Protocol::Grpc) {
            whos.push(line.who);
        }
    }
    let curves = whos.into_iter().map(|who| {
        let mut points: Vec<(f64, f64)> = lines
            .iter()
            .filter(|line| line.who == who)
            .map(|line| (line.clients as f64, line.per_second))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Curve { name: who.name(), points, dashed: !matches!(who, Who::Sqlite(_) | Who::Postgres(_)) }
    });
    Plot {
        title: "Appends a second, by the number of clients",
        x: Axis { label: "clients", logarithmic: true },
        y: Axis { label: "appends a second", logarithmic: true },
        curves: curves.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(who: Who, clients: usize, per_second: f64) -> Line {
        Line { who, clients, per_second, p50: 1.0, p99: 2.0, cpu: 30.0, beside: f64::NAN }
    }

    fn lines() -> Vec<Line> {
        vec![
            line(Who::Sqlite(Protocol::Rest), 32, 15_000.0),
            line(Who::Postgres(Protocol::Rest), 32, 6000.0),
            line(Who::Ceiling(Protocol::Rest), 32, 20_000.0),
            line(Who::AdkMemory, 32, 5000.0),
            line(Who::AdkSqlite, 1, 250.0),
            line(Who::AdkSqlite, 32, 200.0),
            line(Who::AdkDatabasePostgres, 1, 100.0),
            line(Who::AdkDatabasePostgres, 32, 200.0),
        ]
    }

    #[test]
    fn bars_are_against_the_best_that_is_durable() {
        let figures: Vec<f64> = bars_of(&lines()).iter().map(|bar| bar.figure).collect();
        assert!((figures[0] - 0.75).abs() < 1e-9);
        assert!((figures[1] - 60.0).abs() < 1e-9, "against 250, with one client");
        assert!((figures[2] - 30.0).abs() < 1e-9);
        assert!(bars_of(&[]).iter().all(|bar| !bar.is_met()), "what was not measured is not met");
    }

    #[test]
    fn a_table_has_those_who_were_measured_with_that_many_clients() {
        let text = table(&lines(), 32);
        assert!(
            text.contains("| Colloquy on SQLite, REST | 15,000 | 1.00 | 2.00 | 30.0 | – | 0.75 | 60.0 |\n"),
            "{text}"
        );
        assert!(
            text.contains("| ADK InMemory (not durable) | 5,000 | 1.00 | 2.00 | 30.0 | – | – | 20.0 |\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2 + 6);
    }

    #[test]
    fn the_plot_has_a_curve_for_each() {
        let svg = plot(&lines()).svg();
        assert_eq!(svg.matches("<polyline").count(), 6);
        assert!(svg.contains("ADK Database on PostgreSQL"));
    }
}
