//! The processor time that a process has used, from Linux's `/proc`.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command;

/// User and system time of all threads of a process since it started, in steps of a clock tick (10 ms as a rule).
pub(crate) fn used_by(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = ticks(&stat).with_context(|| format!("{path} is not understood: {stat}"))?;
    let per_second = command::output(Command::new("getconf").arg("CLK_TCK"))?;
    let per_second: u32 = per_second.trim().parse().context("`getconf CLK_TCK` did not print a number")?;
    Ok(Duration::from_secs(ticks) / per_second)
}

/// Fields 14 and 15 of proc_pid_stat(5), user and system time. The name in field 2 may hold spaces and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_after_the_name() {
        let stat = "4217 (a ) 9 b) S 1 4217 4217 0 -1 4194560 100 0 7 0 150 42 9 8 20 0 5 0 1 2 3";
        assert_eq!(ticks(stat), Some(192));
        assert_eq!(ticks("4217 (a) S 1"), None);
    }

    #[test]
    fn this_process_uses_time() {
        let before = used_by(std::process::id()).expect("own times");
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        assert!(used_by(std::process::id()).expect("own times") > before);
    }
}
