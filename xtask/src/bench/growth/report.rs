//! What growth was measured to cost, as tables, bars and a plot.

use crate::bench::Section;
use crate::bench::bars::{self, Bar, Bound};
use crate::bench::figures::{Sample, count, head, median_of, number, row};
use crate::bench::plot::{Axis, Curve, Plot};
use crate::bench::process::Memory;
use crate::bench::request::EVENT_BYTES;
use crate::bench::walk::Read;

/// A line is flat when its end is no more than so much dearer than its beginning.
const FLAT: f64 = 1.2;
const LIST_MILLISECONDS: f64 = 2.0;
const START_MILLISECONDS: f64 = 100.0;

/// What appends cost at a size.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    size: usize,
    per_second: f64,
    /// Microseconds of the server.
    cpu: f64,
}

/// All that was found of a store.
pub(crate) struct Grown {
    pub store: &'static str,
    /// By the events of the session.
    pub by_length: Vec<Measured>,
    /// By the sessions of the engine: appends to a few of them, and to many.
    pub hot: Vec<Measured>,
    pub scattered: Vec<Measured>,
    pub lists: Vec<(usize, Read)>,
    pub memory: Vec<(usize, Memory)>,
    /// Bytes for each event.
    pub on_disk: f64,
    /// Milliseconds to the first answer of the largest.
    pub start: f64,
}

impl Measured {
    /// Medians over runs.
    pub(crate) fn of(size: usize, samples: &[Sample]) -> Self {
        Self {
            size,
            per_second: median_of(samples, Sample::per_second),
            cpu: median_of(samples, Sample::cpu_microseconds),
        }
    }

    /// Microseconds from one append to the next, of all clients together.
    fn time(&self) -> f64 {
        1e6 / self.per_second
    }
}

/// The last of some figures as a multiple of the first.
fn growth<T>(all: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    all.first().zip(all.last()).map_or(f64::NAN, |(first, last)| figure(last) / figure(first))
}

fn sizes(all: &[Measured]) -> String {
    let size = |measured: Option<&Measured>| measured.map_or_else(String::new, |one| count(one.size));
    format!("{} / {}", size(all.last()), size(all.first()))
}

fn bars_of(grown: &Grown) -> Vec<Bar> {
    let store = grown.store;
    let mut bars = Vec::new();
    let mut bar = |what: String, figure: f64, unit: &'static str, most: f64| {
        bars.push(Bar { what: format!("{store}: {what}"), figure, unit, bound: Bound::AtMost(most) });
    };
    for (of, all) in [("events in the session", &grown.by_length), ("sessions in the engine", &grown.hot)] {
        bar(format!("time of an append, {} {of}", sizes(all)), growth(all, Measured::time), "", FLAT);
        bar(format!("CPU of an append, {} {of}", sizes(all)), growth(all, |one| one.cpu), "", FLAT);
    }
    let list = grown.lists.last().map_or(f64::NAN, |(_, read)| read.server_time());
    bar(format!("list of a user's sessions among {}", largest(grown)), list, "ms", LIST_MILLISECONDS);
    bar(
        format!("the same list, {} sessions", sizes(&grown.hot)),
        growth(&grown.lists, |(_, read)| read.server_time()),
        "",
        FLAT,
    );
    bar(
        format!("start to first answer with {} sessions", largest(grown)),
        grown.start,
        "ms",
        START_MILLISECONDS,
    );
    bars
}

fn largest(grown: &Grown) -> String {
    grown.hot.last().map_or_else(String::new, |one| count(one.size))
}

/// Tables, bars and the plot, whose name this is.
pub(crate) fn section(grown: &Grown, name: &str, conditions: &str) -> Section {
    let bars = bars_of(grown);
    let mut markdown = format!(
        "{conditions}\n{}\n![Cost of an append against size](benchmarks/{name}.svg)\n\n\
         Appends are by 32 clients over REST; CPU is the server's, without PostgreSQL's own. *×*: as a multiple of \
         the first row of its kind.\n\n",
        bars::table(&bars)
    );
    markdown.push_str(&head(&["appends to", "size", "appends/s", "CPU µs", "time ×", "CPU ×"]));
    let kinds = [
        ("4 sessions with so many events", &grown.by_length),
        ("64 of so many sessions", &grown.hot),
        ("10,000 of so many sessions, at random", &grown.scattered),
    ];
    for (kind, all) in kinds {
        markdown.push_str(&append_rows(kind, all));
    }
    markdown.push('\n');
    let columns = [
        "sessions",
        "list of a user's 100, p50 ms",
        "p99 ms",
        "server time ms",
        "resident MiB",
        "of it own MiB",
    ];
    markdown.push_str(&head(&columns));
    for ((size, read), (_, memory)) in grown.lists.iter().zip(&grown.memory) {
        let figures = [read.at_client(), read.p99(), read.server_time(), memory.resident, memory.own];
        let cells: Vec<String> = std::iter::once(count(*size)).chain(figures.map(number)).collect();
        markdown.push_str(&row(&cells));
    }
    markdown.push_str(&format!(
        "\nAn event of {EVENT_BYTES} bytes of JSON takes {} bytes on disk, {} times its size, with its indexes. From \
         the start of the process to the first answer, of a session among {}: {} ms.\n",
        number(grown.on_disk),
        number(grown.on_disk / EVENT_BYTES as f64),
        largest(grown),
        number(grown.start)
    ));
    Section { markdown, bars, plots: vec![(format!("{name}.svg"), plot(grown).svg())] }
}

fn append_rows(kind: &str, all: &[Measured]) -> String {
    let Some(first) = all.first() else { return String::new() };
    let rows = all.iter().map(|one| {
        row(&[
            kind.to_owned(),
            count(one.size),
            number(one.per_second),
            number(one.cpu),
            number(one.time() / first.time()),
            number(one.cpu / first.cpu),
        ])
    });
    rows.collect()
}

fn plot(grown: &Grown) -> Plot {
    let kinds = [
        ("4 sessions, by their events", &grown.by_length, false),
        ("64 sessions, by the engine's", &grown.hot, false),
        ("10,000 at random, by the engine's", &grown.scattered, true),
    ];
    let curve = |(kind, measured, dashed): (&str, &Vec<Measured>, bool)| Curve {
        name: kind.to_owned(),
        points: measured.iter().map(|one| (one.size as f64, one.cpu)).collect(),
        dashed,
    };
    Plot {
        title: "Server CPU for an append, by size",
        x: Axis { label: "events in the session, or sessions in the engine", logarithmic: true },
        y: Axis { label: "microseconds", logarithmic: false },
        curves: kinds.into_iter().map(curve).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown() -> Grown {
        let measured = |size, per_second, cpu| Measured { size, per_second, cpu };
        Grown {
            store: "SQLite",
            by_length: vec![measured(1, 12_000.0, 40.0), measured(100_000, 10_000.0, 44.0)],
            hot: vec![measured(10_000, 15_000.0, 40.0), measured(1_000_000, 12_000.0, 40.0)],
            scattered: Vec::new(),
            lists: vec![(10_000, Read::default()), (1_000_000, Read::default())],
            memory: vec![(10_000, Memory { resident: 50.0, own: 40.0 }); 2],
            on_disk: 720.0,
            start: 20.0,
        }
    }

    #[test]
    fn the_end_is_held_against_the_beginning() {
        let bars = bars_of(&grown());
        let figures: Vec<f64> = bars.iter().map(|bar| bar.figure).collect();
        assert!((figures[0] - 1.2).abs() < 1e-9 && (figures[1] - 1.1).abs() < 1e-9);
        assert!((figures[2] - 1.25).abs() < 1e-9 && !bars[2].is_met());
        assert_eq!(bars[0].what, "SQLite: time of an append, 100,000 / 1 events in the session");
        assert!(!bars[4].is_met(), "a list that was not measured is not met");
    }

    #[test]
    fn the_page_has_every_figure() {
        let section = section(&grown(), "growth", "conditions");
        assert!(
            section.markdown.contains("takes 720 bytes on disk, 1.20 times its size"),
            "{}",
            section.markdown
        );
        assert!(
            section.markdown.contains("| 64 of so many sessions | 1,000,000 | 12,000 | 40.0 | 1.25 | 1.00 |")
        );
        assert_eq!(section.plots[0].0, "growth.svg");
    }
}
