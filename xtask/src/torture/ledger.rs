//! Appends by several clients at once, and the ledger of what became of each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow};

use crate::crash::append::{Append, Session};
use crate::crash::load::Round;
use crate::rest::{Failure, Rest};

/// How many users the sessions belong to, so that sessions share the state of a user.
const USERS: usize = 3;
/// How long a client waits after a refusal before it writes again.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is stored.
    Acknowledged,
    /// The server said that it did not store it.
    OutOfSpace,
    /// It is stored or not: no answer came, or one that leaves it open.
    Unknown(String),
}

/// An append, and when it was sent and answered, in seconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Which one.
    pub append: Append,
    /// When it was sent.
    pub sent: f64,
    /// When its answer had come.
    pub answered: f64,
    /// What it was answered.
    pub outcome: Outcome,
}

impl Entry {
    /// Whether the server took it.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.outcome == Outcome::Acknowledged
    }
}

/// Clients that write to some sessions, and all that they have written.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Where the writes go.
    pub sessions: Vec<Session>,
    /// Every append that was sent.
    pub entries: Vec<Entry>,
    /// Each client's latest number.
    latest: Vec<u64>,
    /// Since this ledger was made.
    acknowledged: AtomicUsize,
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "times of the ledger are compared with those of other programs"
)]
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Ledger {
    /// As many sessions as `clients`, made under `engine`, with `name` in their ids.
    pub(crate) fn create(url: &str, engine: &str, name: &str, clients: usize) -> Result<Self> {
        let rest = Rest::new(url);
        let session = |index: usize| {
            let user = index % USERS;
            let id = format!("{name}-{index}");
            let name = rest.create_session(engine, &id, &format!("{name}-user-{user}"));
            Ok(Session { name: name.context("cannot create a session")?, user })
        };
        Ok(Self {
            sessions: (0..clients).map(session).collect::<Result<_>>()?,
            entries: Vec::new(),
            latest: vec![0; clients],
            acknowledged: AtomicUsize::new(0),
        })
    }

    /// Lets all clients write, one append at a time each, for as long as `goes_on` says, which is told how many
    /// appends were acknowledged since this ledger was made. A client also ends when the server is gone.
    pub(crate) fn write(&mut self, url: &str, goes_on: impl Fn(usize) -> bool + Sync) -> Result<()> {
        let (sessions, acknowledged, goes_on) = (&self.sessions, &self.acknowledged, &goes_on);
        let parts = thread::scope(|scope| {
            let running: Vec<_> = self
                .latest
                .iter()
                .enumerate()
                .map(|(writer, &number)| {
                    let last = Append { writer, number };
                    scope.spawn(move || write(url, sessions, last, acknowledged, goes_on))
                })
                .collect();
            running.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        for (part, latest) in parts.into_iter().zip(&mut self.latest) {
            let part = part.map_err(|_| anyhow!("a client panicked"))?;
            *latest = part.last().map_or(*latest, |entry| entry.append.number);
            self.entries.extend(part);
        }
        Ok(())
    }

    /// Answers after a time do not count any more: what they were about may be lost.
    pub(crate) fn forget_after(&mut self, time: f64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.answered > time) {
            entry.outcome = Outcome::Unknown("forgotten".to_owned());
        }
    }

    /// How many appends were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.is_acknowledged()).count() as u64
    }

    /// How many clients there are.
    pub(crate) fn clients(&self) -> usize {
        self.latest.len()
    }

    /// What must be there, and what may be, where only the answers up to a time count.
    pub(crate) fn round_at(&self, time: f64) -> Round {
        let mut round = Round {
            sessions: self.sessions.clone(),
            acknowledged: Vec::new(),
            unanswered: Vec::new(),
            refused: None,
        };
        for entry in &self.entries {
            match entry.outcome {
                Outcome::Acknowledged if entry.answered <= time => round.acknowledged.push(entry.append),
                Outcome::Acknowledged | Outcome::Unknown(_) => round.unanswered.push(entry.append),
                Outcome::OutOfSpace => {}
            }
        }
        round
    }

    /// The same for all answers.
    pub(crate) fn round(&self) -> Round {
        self.round_at(f64::INFINITY)
    }
}

fn write(
    url: &str,
    sessions: &[Session],
    mut last: Append,
    acknowledged: &AtomicUsize,
    goes_on: &(impl Fn(usize) -> bool + Sync),
) -> Vec<Entry> {
    let rest = Rest::new(url);
    let mut entries = Vec::new();
    while goes_on(acknowledged.load(Ordering::Relaxed)) {
        last.number += 1;
        let Some(session) = sessions.get(last.session(sessions.len())) else { break };
        let sent = now();
        let answer = rest.post(&format!("{}:appendEvent", session.name), &last.event());
        let answered = now();
        let (outcome, gone) = match answer {
            Ok(_) => (Outcome::Acknowledged, false),
            Err(Failure::Refused(429, _)) => (Outcome::OutOfSpace, false),
            Err(failure) => {
                (Outcome::Unknown(failure.to_string()), matches!(failure, Failure::Unanswered(_)))
            }
        };
        match outcome {
            Outcome::Acknowledged => drop(acknowledged.fetch_add(1, Ordering::Relaxed)),
            _ => thread::sleep(AFTER_REFUSAL),
        }
        entries.push(Entry { append: last, sent, answered, outcome });
        if gone {
            break;
        }
    }
    entries
}
