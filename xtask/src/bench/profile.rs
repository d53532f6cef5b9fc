//! Where the server's processor time goes while it appends, by `perf`: what each kind of work takes of an append.
//!
//! Samples are sorted by what is on their stacks: what the kernel does for a system call, by the call; the rest by
//! the function that ran.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use super::figures::{head, number, row};
use super::load::{Protocol, Until, WARM_UP};
use super::subject::Subject;
use super::{Bench, SESSIONS, Section, conditions};
use crate::{command, debian};

const CLIENTS: usize = 32;
/// Samples a second of each processor: no divisor of what timers do.
const FREQUENCY: &str = "997";
/// Runs before the samples are taken, and after.
const MARGIN: Duration = Duration::from_secs(1);
/// Rows with less than this share are put together.
const LEAST_SHARE: f64 = 0.01;

/// How the kernel is entered: what has none of these on its stack runs outside of it.
const ENTRIES: [&str; 5] =
    ["entry_SYSCALL_64", "asm_sysvec", "asm_exc", "asm_common_interrupt", "ret_from_fork"];
/// What the kernel does, and what is on its stack then; the first that fits counts.
const KERNEL: [(&str, &[&str]); 5] = [
    ("kernel: sync to disk", &["fdatasync", "fsync"]),
    ("kernel: write and read files", &["pwrite64", "pread64", "ext4_", "fcntl"]),
    ("kernel: sockets", &["tcp_", "sock_", "sys_writev", "sys_recv", "sys_send", "net_rx"]),
    ("kernel: wake and wait", &["eventfd", "epoll", "futex", "nanosleep", "schedule"]),
    ("kernel: memory", &["mmap", "munmap", "mprotect", "madvise", "page_fault", "do_anonymous_page"]),
];

/// What else runs, and what its function is named; the first that fits counts.
const FUNCTIONS: [(&str, &[&str]); 8] = [
    (
        "rules, conversion, routes",
        &["colloquy_gateway", "colloquy_sessions", "colloquy_contract", "resource_names"],
    ),
    ("the store's own code", &["colloquy_store"]),
    ("calls to SQLite (rusqlite)", &["rusqlite"]),
    ("PostgreSQL's protocol", &["tokio_postgres", "postgres_", "deadpool"]),
    ("JSON to protobuf", &["proto_json", "serde", "from_utf8"]),
    ("HTTP", &["hyper", "http::", "httparse", "http_body"]),
    ("memory", &["mi_", "malloc", "memmove", "memcpy", "memset", "cfree", "_int_free"]),
    ("tasks and channels", &["tokio", "mio::", "futures", "parking_lot", "std::sync"]),
];

/// Profiles appends to each store.
pub(crate) fn run(bench: &Bench<'_>) -> Result<Section> {
    install()?;
    let database = bench.postgres.make("profile")?;
    let mut markdown = conditions::paragraph(bench, "profile", &[])?;
    markdown.push_str(&store(bench, "SQLite", &[])?);
    markdown.push_str(&store(bench, "PostgreSQL", &["--store", &database])?);
    Ok(Section { markdown, bars: Vec::new(), plots: Vec::new() })
}

/// Profiles appends to one store, and tells what was found.
fn store(bench: &Bench<'_>, name: &str, flags: &[&str]) -> Result<String> {
    println!("profile: appends to {name}");
    let data = bench.workspace.scratch(&format!("bench-profile-{name}"))?;
    let folder = bench.workspace.scratch("bench-perf")?;
    let samples = folder.path.join("perf.data");
    let subject = Subject::start(&bench.binary, data, flags, SESSIONS)?;
    let time = bench.time.max(MARGIN) * u32::from(bench.options.runs);
    let whole = time + 2 * MARGIN;
    let before = bench.postgres.cpu()?;
    let measured = std::thread::scope(|scope| {
        let load = scope.spawn(|| subject.measure(Protocol::Rest, CLIENTS, Until::Time(whole)));
        std::thread::sleep(MARGIN);
        let recorded = record(subject.server.id(), &samples, time);
        let measured = load.join().map_err(|_| anyhow!("the load panicked"))?;
        recorded.and(measured)
    })?;
    let beside = bench.postgres.cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / measured.answers as f64;
    let beside = match flags {
        [] => String::new(),
        _ => format!(" PostgreSQL itself took {} µs.", number(beside)),
    };
    let script =
        command::output(Command::new("perf").args(["script", "-F", "comm,ip,sym", "-i"]).arg(&samples))?;
    let cpu = measured.cpu_microseconds();
    let busy = measured.cpu.as_secs_f64() / (whole + WARM_UP).as_secs_f64();
    Ok(format!(
        "\n**{name}**, {CLIENTS} clients, REST: {} appends a second, {} µs of the server's processor time each, which \
         is {} processors busy.{beside}\n\n{}",
        number(measured.per_second()),
        number(cpu),
        number(busy),
        table(&sorted(&script)?, cpu)
    ))
}

fn install() -> Result<()> {
    let there = || {
        let asked =
            Command::new("perf").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    if !there() && debian::can_install() {
        debian::install(&["linux-perf"])?;
    }
    if !there() {
        bail!("there is no perf to profile with: install it (Debian: linux-perf)");
    }
    Ok(())
}

fn record(process: u32, into: &Path, time: Duration) -> Result<()> {
    let mut perf = Command::new("perf");
    perf.args([
        "record",
        "--quiet",
        "--event=cpu-clock",
        "-g",
        "--freq",
        FREQUENCY,
        "--pid",
        &process.to_string(),
    ]);
    perf.arg("--output").arg(into).args(["--", "sleep", &time.as_secs_f64().to_string()]);
    command::output(&mut perf).map(drop).context("cannot profile")
}

/// How many samples there are of each thread's kinds of work.
fn sorted(script: &str) -> Result<BTreeMap<(String, &'static str), usize>> {
    let mut counts = BTreeMap::new();
    for sample in script.split("\n\n") {
        let mut lines = sample.lines().filter(|line| !line.trim().is_empty());
        let Some(thread) = lines.next() else { continue };
        let stack: Vec<&str> = lines.filter_map(|line| Some(line.trim().split_once(' ')?.1)).collect();
        *counts.entry((thread.trim().to_owned(), work(thread, &stack))).or_default() += 1;
    }
    if counts.is_empty() {
        bail!("perf took no samples");
    }
    Ok(counts)
}

/// What kind of work a stack shows, the innermost function first.
fn work(thread: &str, stack: &[&str]) -> &'static str {
    let has = |parts: &[&str]| stack.iter().any(|function| parts.iter().any(|part| function.contains(part)));
    if has(&ENTRIES) {
        let found = KERNEL.iter().find(|(_, parts)| has(parts));
        return found.map_or("kernel: other", |(name, _)| name);
    }
    let Some(function) = stack.first() else { return "other" };
    let named = FUNCTIONS.iter().find(|(_, parts)| parts.iter().any(|part| function.contains(part)));
    match named {
        Some((name, _)) => name,
        // What is neither Rust's nor known by name is SQLite's: on its threads nothing else is written in C.
        None if thread.starts_with("sqlite") && !function.contains("::") && !function.starts_with('<') => {
            "SQLite"
        }
        None => "other",
    }
}

fn table(counts: &BTreeMap<(String, &'static str), usize>, cpu: f64) -> String {
    let all: usize = counts.values().sum();
    let mut rows: Vec<(String, &str, f64)> = Vec::new();
    let mut rest = 0.0;
    for ((thread, work), count) in counts {
        let share = *count as f64 / all as f64;
        if share < LEAST_SHARE {
            rest += share;
        } else {
            rows.push((thread.clone(), work, share));
        }
    }
    rows.sort_by(|a, b| b.2.total_cmp(&a.2));
    rows.push(("all".to_owned(), "less than 1 % each", rest));
    let mut text = head(&["thread", "work", "share %", "µs an append"]).replacen("---:", "---", 1);
    for (thread, work, share) in rows {
        text.push_str(&row(&[thread, work.to_owned(), number(share * 100.0), number(share * cpu)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "tokio-rt-worker \n\t  3f32d5 hyper::proto::h1::io::Buffered<T,B>::poll_flush\n\t 55a4 [unknown]\n\n\
        sqlite-writer \n\t  618285 sqlite3VdbeExec\n\t 4f4b48 rusqlite::statement::Statement::execute\n\n\
        sqlite-writer \n\tffffffff82203a31 _raw_spin_unlock_irq\n\tffffffff81736e11 ext4_sync_file\n\
        \tffffffff81736e11 __x64_sys_fdatasync\n\tffffffff81000130 entry_SYSCALL_64_after_hwframe\n\n\
        sqlite-writer \n\t  4f walChecksumBytes\n\n";

    #[test]
    fn samples_are_sorted_by_what_was_done() {
        let counts = sorted(SCRIPT).expect("samples");
        let count = |thread: &str, work| counts.get(&(thread.to_owned(), work)).copied().unwrap_or(0);
        assert_eq!(count("tokio-rt-worker", "HTTP"), 1);
        assert_eq!(count("sqlite-writer", "SQLite"), 2);
        assert_eq!(count("sqlite-writer", "kernel: sync to disk"), 1);
        assert!(sorted("\n").is_err());
    }

    #[test]
    fn shares_are_of_what_an_append_costs() {
        let text = table(&sorted(SCRIPT).expect("samples"), 40.0);
        assert!(text.contains("| sqlite-writer | SQLite | 50.0 | 20.0 |\n"), "{text}");
        assert!(
            text.starts_with("| thread | work | share % | µs an append |\n|---|---|---:|---:|\n"),
            "{text}"
        );
    }
}
