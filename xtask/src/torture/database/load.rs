//! The write load: writers who go on whatever happens, and note what they are told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::ledger::{Answer, Ledger, Life, Outcome, Sent};
use super::nodes::Addresses;
use super::{NODES, PLACES, SETTLERS, WRITERS};
use crate::crash::append::Append;
use crate::random::SplitMix;
use crate::rest::{Failure, Rest};

/// The server's own limit for a request, and what a busy machine may add to it.
const DEADLINE: Duration = Duration::from_secs(23);
/// How long a writer rests at most, in milliseconds, after a write that went wrong.
const REST_MS: u64 = 60;
/// How long a steady load may take to come about.
const STEADY_LIMIT: Duration = Duration::from_secs(30);

/// What all writers share.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    ledger: &'a Ledger,
    addresses: &'a Addresses,
    seed: u64,
    is_over: AtomicBool,
    /// What went wrong, in words.
    problems: Mutex<Vec<String>>,
    /// What the writers were told so far.
    pub told: Told,
}

/// How often writers were told what.
#[derive(Debug, Default)]
pub(crate) struct Told {
    done: [AtomicU64; NODES],
    unavailable: AtomicU64,
    out_of_space: AtomicU64,
    refused: AtomicU64,
    nothing: AtomicU64,
    slowest_ms: AtomicU64,
}

impl Told {
    /// How many writes a node has acknowledged.
    pub(crate) fn done_by(&self, node: usize) -> u64 {
        self.done.get(node).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// How many writes were acknowledged.
    pub(crate) fn done(&self) -> u64 {
        (0..NODES).map(|node| self.done_by(node)).sum()
    }

    /// How many were refused with UNAVAILABLE.
    pub(crate) fn unavailable(&self) -> u64 {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// How many were refused with RESOURCE_EXHAUSTED.
    pub(crate) fn out_of_space(&self) -> u64 {
        self.out_of_space.load(Ordering::Relaxed)
    }

    /// How many were not answered.
    pub(crate) fn nothing(&self) -> u64 {
        self.nothing.load(Ordering::Relaxed)
    }

    /// The longest that anybody waited.
    pub(crate) fn slowest(&self) -> Duration {
        Duration::from_millis(self.slowest_ms.load(Ordering::Relaxed))
    }

    fn count(&self, node: usize, answer: Answer, took: Duration) {
        let count = match answer {
            Answer::Done => self.done.get(node),
            Answer::Unavailable => Some(&self.unavailable),
            Answer::OutOfSpace => Some(&self.out_of_space),
            Answer::NotFound | Answer::Exists => Some(&self.refused),
            Answer::Nothing => Some(&self.nothing),
        };
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.slowest_ms.fetch_max(took, Ordering::Relaxed);
    }
}

impl<'a> Load<'a> {
    /// Nobody writes yet.
    pub(crate) fn new(ledger: &'a Ledger, addresses: &'a Addresses, seed: u64) -> Self {
        let (is_over, problems) = (AtomicBool::new(false), Mutex::default());
        Self { ledger, addresses, seed, is_over, problems, told: Told::default() }
    }

    /// Tells the writers to end.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// What went wrong so far.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until each node has acknowledged so many more writes.
    ///
    /// # Errors
    /// When that does not happen.
    pub(crate) fn wait_until_steady(&self, more: u64) -> Result<()> {
        let before: Vec<u64> = (0..NODES).map(|node| self.told.done_by(node)).collect();
        let asked = Instant::now();
        for (node, before) in before.into_iter().enumerate() {
            while self.told.done_by(node) < before + more {
                if asked.elapsed() > STEADY_LIMIT {
                    bail!("node {node} acknowledged too little in {} s", STEADY_LIMIT.as_secs());
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// Writes until the end.
    pub(crate) fn write(&self, writer: usize) {
        let seed = self.seed ^ u64::try_from(writer).unwrap_or(0).wrapping_mul(0x9e37_79b9);
        let mut writer = Writer::new(self, writer, SplitMix::new(seed));
        while !self.is_over.load(Ordering::Relaxed) {
            writer.write_once();
        }
        self.ledger.file(writer.sent);
    }

    /// Appends to one of [`SETTLERS`] parts of the sessions that may be there, through each node. An append of before
    /// whose caller was told nothing is done or gone after this: a session's appends are done one after the other.
    pub(crate) fn settle(&self, settler: usize) {
        let mut writer = Writer::new(self, WRITERS + settler, SplitMix::new(0));
        for place in (settler..PLACES).step_by(SETTLERS) {
            for (life, known) in self.ledger.lives(place).into_iter().enumerate() {
                if known.deleted != Some(Outcome::Done) {
                    (0..NODES).for_each(|node| writer.append(node, place, life, &known));
                }
            }
        }
        self.ledger.file(writer.sent);
    }

    fn is_wrong(&self, what: String) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

struct Writer<'l, 'a> {
    load: &'l Load<'a>,
    writer: usize,
    random: SplitMix,
    number: u64,
    sent: Vec<Sent>,
    clients: [Option<(String, Rest)>; NODES],
}

impl<'l, 'a> Writer<'l, 'a> {
    fn new(load: &'l Load<'a>, writer: usize, random: SplitMix) -> Self {
        Self { load, writer, random, number: 0, sent: Vec::new(), clients: Default::default() }
    }

    fn write_once(&mut self) {
        let node = self.below(NODES);
        let own = self.writer + WRITERS * self.below(PLACES / WRITERS);
        let newest = self.load.ledger.newest(own).filter(|(_, life)| life.deleted != Some(Outcome::Done));
        let Some((life, known)) = newest.or_else(|| self.load.ledger.begin(own)) else { return };
        // What is not known to have been done is asked for again.
        if known.created != Outcome::Done {
            return self.create(node, own, life, &known);
        }
        if known.deleted.is_some() {
            return self.delete(node, own, life, &known);
        }
        match self.below(100) {
            0..3 => self.delete(node, own, life, &known),
            3..8 => self.rename(node, own, life, &known),
            8..50 => self.append(node, own, life, &known),
            choice => {
                let place = self.below(PLACES);
                let mut target = self.load.ledger.newest(place);
                if choice < 55
                    && let Some((newest, _)) = target
                    && let Some(before) = newest.checked_sub(1)
                {
                    // To one that is deleted, which must stay so.
                    target = self.load.ledger.lives(place).into_iter().nth(before).map(|life| (before, life));
                }
                if let Some((life, known)) = target {
                    self.append(node, place, life, &known);
                }
            }
        }
    }

    fn create(&mut self, node: usize, place: usize, life: usize, known: &Life) {
        let Some((path, id)) = known.name.rsplit_once('/') else { return };
        let title = known.titles.first().map(|(title, _)| title.as_str());
        let body = json!({
            "userId": format!("user-{}", known.user),
            "displayName": title,
            "sessionState": {"born": known.name},
        });
        let path = format!("{path}?sessionId={id}");
        self.load.ledger.note(place, life, |life| life.tries += 1);
        let answer = self.ask(node, |rest| rest.post(&path, &body));
        let created = match answer {
            Some(Answer::Exists) if known.tries > 0 => Outcome::Done,
            Some(Answer::Exists | Answer::NotFound) => {
                return self.is_wrong(known, &format!("was created and answered {answer:?}"));
            }
            // An earlier try may have been carried out all the same.
            Some(Answer::Done) => Outcome::Done,
            _ => Outcome::Unknown,
        };
        self.load.ledger.note(place, life, |life| {
            life.created = created;
            if let Some((_, outcome)) = life.titles.first_mut() {
                *outcome = created;
            }
        });
    }

    fn rename(&mut self, node: usize, place: usize, life: usize, known: &Life) {
        let title = format!("title {place} {life} {}", known.titles.len());
        self.load.ledger.note(place, life, |life| life.titles.push((title.clone(), Outcome::Unknown)));
        let body = json!({"name": known.name, "displayName": title});
        let path = format!("{}?updateMask=displayName", known.name);
        let answer = self.ask(node, |rest| rest.patch(&path, &body));
        if answer == Some(Answer::NotFound) {
            self.is_wrong(known, "was not found when it was renamed");
        }
        self.load.ledger.note(place, life, |life| {
            if let (Some((_, outcome)), Some(answer)) = (life.titles.last_mut(), answer) {
                *outcome = answer.outcome();
            }
        });
    }

    fn delete(&mut self, node: usize, place: usize, life: usize, known: &Life) {
        self.load.ledger.note(place, life, |life| life.deleted = Some(Outcome::Unknown));
        let answer = self.ask(node, |rest| rest.delete(&known.name));
        let deleted = match answer {
            Some(Answer::Done) => Outcome::Done,
            Some(Answer::NotFound) if known.deleted.is_some() => Outcome::Done,
            Some(Answer::NotFound) => return self.is_wrong(known, "was not found when it was deleted"),
            _ => Outcome::Unknown,
        };
        self.load.ledger.note(place, life, |life| life.deleted = Some(deleted));
    }

    fn append(&mut self, node: usize, place: usize, life: usize, known: &Life) {
        self.number += 1;
        let append = Append { writer: self.writer, number: self.number };
        let path = format!("{}:appendEvent", known.name);
        let answer = self.ask(node, |rest| rest.post(&path, &append.event()));
        let outcome = answer.map_or(Outcome::Unknown, Answer::outcome);
        self.sent.push(Sent { append, place, life, outcome });
        let is_gone = known.deleted == Some(Outcome::Done);
        if answer == Some(Answer::Done) && is_gone {
            self.is_wrong(known, &format!("took {} after it was deleted", append.id()));
        }
        // Somebody may have asked to delete it meanwhile.
        let now = self.load.ledger.lives(place).into_iter().nth(life);
        let must_be_there = known.created == Outcome::Done && now.is_some_and(|life| life.deleted.is_none());
        if answer == Some(Answer::NotFound) && must_be_there {
            self.is_wrong(known, "was not found by an append");
        }
    }

    /// Sends one request; none is an answer that there must not be.
    fn ask(&mut self, node: usize, send: impl FnOnce(&Rest) -> Result<Value, Failure>) -> Option<Answer> {
        let url = self.load.addresses.of(node);
        let place = self.clients.get_mut(node)?;
        if place.as_ref().is_none_or(|(known, _)| *known != url) {
            *place = Some((url.clone(), Rest::new(&url)));
        }
        let (_, client) = place.as_ref()?;
        let started = Instant::now();
        let result = send(client);
        let took = started.elapsed();
        if took > DEADLINE {
            self.load.is_wrong(format!("hung: node {node} took {:.1} s: {result:?}", took.as_secs_f64()));
        }
        match Answer::read(&result) {
            Ok(answer) => {
                self.load.told.count(node, answer, took);
                if answer.outcome() == Outcome::Unknown || answer == Answer::OutOfSpace {
                    std::thread::sleep(Duration::from_millis(self.random.below(REST_MS)));
                }
                Some(answer)
            }
            Err(problem) => {
                self.load.is_wrong(format!("node {node}: {problem}"));
                None
            }
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.index(end)
    }

    fn is_wrong(&self, life: &Life, what: &str) {
        self.load.is_wrong(format!("{} {what}", life.name));
    }
}
