//! How many calls of each protocol a server answered, by its own log.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Calls by protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) rest: usize,
    pub(super) grpc: usize,
}

impl Calls {
    /// The calls in a log of JSON lines.
    pub(super) fn in_log(path: &Path) -> Result<Self> {
        let log = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut calls = Self::default();
        for line in BufReader::new(log).lines() {
            calls.count(&line.with_context(|| format!("cannot read {}", path.display()))?);
        }
        Ok(calls)
    }

    fn count(&mut self, line: &str) {
        let Ok(entry) = serde_json::from_str::<Value>(line) else { return };
        if entry.get("target").and_then(Value::as_str) != Some("request") {
            return;
        }
        match entry.get("protocol").and_then(Value::as_str) {
            Some("rest") => self.rest += 1,
            Some("grpc") => self.grpc += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_about_requests_count() {
        let mut calls = Calls::default();
        for line in [
            r#"{"target":"request","protocol":"rest"}"#,
            r#"{"target":"request","protocol":"grpc"}"#,
            r#"{"target":"request","protocol":"grpc"}"#,
            r#"{"target":"colloquy","protocol":"grpc"}"#,
            "not JSON",
        ] {
            calls.count(line);
        }
        assert_eq!(calls, Calls { rest: 1, grpc: 2 });
    }
}
