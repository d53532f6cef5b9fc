//! The write load, and the ledger of what was answered.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::append::{Append, Session};
use crate::rest::{Failure, Rest};
use crate::server::Server;

/// What happened between a start of the server and its kill.
#[derive(Debug)]
pub(crate) struct Round {
    /// Where the writes went.
    pub sessions: Vec<Session>,
    /// Answered with success.
    pub acknowledged: Vec<Append>,
    /// Never answered: done or not.
    pub unanswered: Vec<Append>,
    /// What the server said when it refused a write, which it has no reason to.
    pub refused: Option<String>,
}

impl Round {
    /// How many appends were sent.
    pub(crate) fn tried(&self) -> usize {
        self.acknowledged.len() + self.unanswered.len()
    }
}

/// The writers, who count their appends over all rounds.
#[derive(Debug)]
pub(crate) struct Writers {
    /// Each writer's latest number.
    latest: Vec<u64>,
}

/// One writer's part of a round.
struct Part {
    acknowledged: Vec<Append>,
    last: Append,
    /// Why it ended.
    failure: Failure,
}

impl Writers {
    /// `count` writers who have written nothing.
    pub(crate) fn new(count: usize) -> Self {
        Self { latest: vec![0; count] }
    }

    /// Lets all writers write, one append at a time each, and kills the server after `pause`.
    pub(crate) fn write_until_killed(
        &mut self,
        server: Server,
        sessions: Vec<Session>,
        pause: Duration,
    ) -> Result<Round> {
        let url = server.url.clone();
        let (killed, parts) = thread::scope(|scope| {
            let running: Vec<_> = self
                .latest
                .iter()
                .enumerate()
                .map(|(writer, &latest)| {
                    let sessions = &sessions;
                    let url = url.as_str();
                    scope.spawn(move || write(url, sessions, Append { writer, number: latest }))
                })
                .collect();
            thread::sleep(pause);
            let killed = server.kill();
            let parts: Vec<_> = running.into_iter().map(thread::ScopedJoinHandle::join).collect();
            (killed, parts)
        });
        killed?;

        let mut round = Round { sessions, acknowledged: Vec::new(), unanswered: Vec::new(), refused: None };
        for (part, latest) in parts.into_iter().zip(&mut self.latest) {
            let part = part.map_err(|_| anyhow::anyhow!("a writer panicked"))?;
            *latest = part.last.number;
            round.acknowledged.extend(part.acknowledged);
            round.unanswered.push(part.last);
            if let refused @ Failure::Refused(..) = part.failure {
                round.refused = Some(format!("{}: {refused}", part.last.id()));
            }
        }
        Ok(round)
    }
}

/// Appends until a call fails, as all do once the server is gone.
fn write(url: &str, sessions: &[Session], mut last: Append) -> Part {
    let rest = Rest::new(url);
    let mut acknowledged = Vec::new();
    loop {
        last.number += 1;
        let Some(session) = sessions.get(last.session(sessions.len())) else {
            let failure = Failure::Refused(0, "a round has sessions".to_owned());
            return Part { acknowledged, last, failure };
        };
        match rest.post(&format!("{}:appendEvent", session.name), &last.event()) {
            Ok(_) => acknowledged.push(last),
            Err(failure) => return Part { acknowledged, last, failure },
        }
    }
}
