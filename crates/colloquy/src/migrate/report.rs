//! What a migration came to.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use colloquy_sessions::transfer::Comparison;

/// Prints what both stores hold, kind by kind.
pub(crate) fn print(comparison: &Comparison, copied: u64, seconds: f64) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(table(comparison, copied, seconds).as_bytes()).context("writing to stdout")
}

fn table(comparison: &Comparison, copied: u64, seconds: f64) -> String {
    let mut text =
        format!("{:<14}{:>12}{:>13}  {:<64}  result\n", "kind", "source", "destination", "sha-256");
    for line in &comparison.lines {
        let result = if line.is_same() { "same" } else { "differs" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<14}{:>12}{:>13}  {}  {result}",
            line.kind, line.source_rows, line.destination_rows, line.source
        );
        if line.source != line.destination {
            let _ = writeln!(text, "{:<39}  {}", "", line.destination);
        }
    }
    let speed = copied as f64 / seconds.max(0.001);
    let _ = writeln!(text, "copied {copied} rows in {seconds:.1} s, {speed:.0} rows/s");
    text
}
