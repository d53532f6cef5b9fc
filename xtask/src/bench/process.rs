//! What a process has used: processor time and memory, from Linux's `/proc`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command;

/// User and system time of all threads that a process has and had, in steps of a clock tick (10 ms as a rule).
pub(crate) fn cpu_by_ticks(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let stat = parsed(&stat).with_context(|| format!("{path} is not understood: {stat}"))?;
    Ok(Duration::from_secs(stat.own) / ticks_a_second()?)
}

/// The same of a process and its children, those that have ended too.
pub(crate) fn cpu_of_family(parent: u32) -> Result<Duration> {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let entry = entry?;
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may have ended since the folder was read.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some(stat) = parsed(&stat) else { continue };
        if process == parent {
            ticks += stat.own + stat.ended_children;
        } else if stat.parent == parent {
            ticks += stat.own;
        }
    }
    Ok(Duration::from_secs(ticks) / ticks_a_second()?)
}

fn ticks_a_second() -> Result<u32> {
    let said = command::output(Command::new("getconf").arg("CLK_TCK"))?;
    said.trim().parse().context("`getconf CLK_TCK` did not print a number")
}

/// What proc_pid_stat(5) tells: times are user and system together, in clock ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stat {
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn parsed(stat: &str) -> Option<Stat> {
    // The name in field 2 may hold spaces and parentheses; after it comes field 3.
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    let field = |number: usize| -> Option<u64> { fields.get(number - 3)?.parse().ok() };
    Some(Stat {
        parent: u32::try_from(field(4)?).ok()?,
        own: field(14)?.checked_add(field(15)?)?,
        ended_children: field(16)?.checked_add(field(17)?)?,
    })
}

/// The time on a processor of all threads of a process that live. Threads that end take theirs with them, so it is
/// for processes that keep their threads, as the server does.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let threads = format!("/proc/{process}/task");
    let mut times = Vec::new();
    for thread in fs::read_dir(&threads).with_context(|| format!("cannot read {threads}"))? {
        let path = thread?.path().join("schedstat");
        // A thread may have ended since the folder was read.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        times.push(
            on_processor(&text).with_context(|| format!("{} is not understood: {text}", path.display()))?,
        );
    }
    if times.is_empty() {
        bail!("{threads} has no schedstat: this kernel does not count how long threads run");
    }
    Ok(times.iter().sum())
}

/// The first field of a `schedstat`: nanoseconds on a processor.
fn on_processor(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Memory {
    /// All that is resident.
    pub resident: f64,
    /// What of it is the process's own; the rest are pages of files, which the system takes back when it needs them.
    pub own: f64,
}

/// The memory of a process.
pub(crate) fn memory(process: u32) -> Result<Memory> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    memory_in(&status).with_context(|| format!("{path} does not say how much memory there is"))
}

fn memory_in(status: &str) -> Option<Memory> {
    let field = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    };
    Some(Memory { resident: field("VmRSS")?, own: field("RssAnon")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read() {
        let stat = "4217 (a ) 9 b) S 1 4217 4217 0 -1 4194560 100 0 7 0 150 42 9 8 20 0 5 0 1 2 3";
        assert_eq!(parsed(stat), Some(Stat { parent: 1, own: 192, ended_children: 17 }));
        assert_eq!(parsed("4217 (a) S 1"), None);
        assert_eq!(on_processor("28011647 23248189 123\n"), Some(Duration::from_nanos(28_011_647)));
        assert_eq!(on_processor(""), None);
        let status =
            "Name:\tx\nVmHWM:\t  9000 kB\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\nRssFile:\t 1 kB\n";
        assert_eq!(memory_in(status), Some(Memory { resident: 2.0, own: 1.0 }));
        assert_eq!(memory_in("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_uses_both() {
        let before = cpu(std::process::id()).expect("own times");
        let mut sum = 0_u64;
        while cpu(std::process::id()).expect("own times") == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        while cpu_by_ticks(std::process::id()).expect("own times").is_zero() {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(memory(std::process::id()).expect("own memory").resident > 0.5);
    }
}
