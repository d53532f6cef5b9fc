//! One data directory as a loss of power left it: the server is started on it, and asked for what it holds.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::image::{self, Files};
use crate::crash::verify::Verifier;
use crate::rest::Rest;
use crate::server::{QUIET, Server};
use crate::torture::ledger::Ledger;

/// What a server says that refuses a damaged log.
const DAMAGED: &str = "is damaged at byte";
/// How many problems of one image are told.
const TOLD: usize = 3;

/// A data directory, and what must be true of it.
#[derive(Debug)]
pub(super) struct Case {
    /// What it is, in words.
    pub what: String,
    /// The files.
    pub files: Files,
    /// What was answered until then must be there.
    pub time: f64,
    /// Whether all sessions are there; if not, the server only has to start.
    pub written_to: bool,
    /// Whether the server may also refuse it as damaged.
    pub may_be_damaged: bool,
    /// Where it is damaged, so that the server must refuse it and say so.
    pub damaged_at: Option<u64>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The promise that was broken.
    pub problem: Option<String>,
}

impl Case {
    /// Starts a server on the files, in `folder`, which is gone afterwards.
    pub(super) fn run(&self, binary: &Path, folder: &Path, ledger: &Ledger) -> Result<Verdict> {
        let data = folder.join("data");
        image::write(&self.files, &data)?;
        let problem = self.problem(binary, &data, ledger).err().map(|error| format!("{error:#}"));
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        Ok(Verdict { problem })
    }

    fn problem(&self, binary: &Path, data: &Path, ledger: &Ledger) -> Result<()> {
        let more = [QUIET.as_slice(), &["--disk-reserve-bytes", "0"]].concat();
        let server = match (Server::start(binary, data, &more), self.damaged_at) {
            (Err(error), Some(at)) if error.to_string().contains(&format!("{DAMAGED} {at},")) => {
                return Ok(());
            }
            (Err(error), None) if self.may_be_damaged && error.to_string().contains(DAMAGED) => return Ok(()),
            (Err(error), None) => return Err(error),
            (Err(error), Some(at)) => return Err(error.context(format!("not refused for byte {at}"))),
            (Ok(_), Some(at)) => anyhow::bail!("started on a log that is damaged at byte {at}"),
            (Ok(server), None) => server,
        };
        let rest = Rest::new(&server.url);
        rest.ready()?;
        if self.written_to {
            let round = ledger.round_at(self.time);
            let findings = Verifier::new(ledger.clients()).check(&server.url, &round)?;
            if !findings.problems.is_empty() {
                let told = findings.problems.iter().take(TOLD).map(|problem| {
                    let end = problem.floor_char_boundary(400);
                    problem.get(..end).unwrap_or(problem)
                });
                anyhow::bail!(
                    "of {} acknowledged {} lost, {} half-applied: {}",
                    round.acknowledged.len(),
                    findings.lost,
                    findings.half_applied,
                    told.collect::<Vec<_>>().join("; ")
                );
            }
        }
        // It takes new writes.
        let engine = rest.create_engine().context("a write was refused")?;
        let session = rest.create_session(&engine, "after", "user").context("a write was refused")?;
        let event = json!({"author": "a", "invocationId": "i", "timestamp": "2026-03-01T12:00:00Z"});
        rest.post(&format!("{session}:appendEvent"), &event).context("a write was refused")?;
        server.kill()
    }
}
