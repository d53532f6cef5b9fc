//! A client: asks one thing after the other, at random, and writes down what it asked and was answered.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::operation::{Answer, Call, EventPage, Id, Keys, Record, Seen, Slot};
use super::validate::Walk;
use super::wire::{Outcome, Page, Wire};
use crate::random::SplitMix;
use crate::rest::Rest;

/// Session ids that are made, deleted and made again, and that most operations go to.
pub(super) const HOT: usize = 4;
/// All session ids; those that are not hot stay for good.
pub(super) const SLOTS: usize = 10;
/// Users, whose state their sessions share.
pub(super) const USERS: usize = 2;
/// Events have one of so many timestamps, a second apart, so that many are equal and most do not come in order.
const TIMES: u64 = 5;
const FIRST_TIME: i64 = 1_772_000_000_000_000;
/// How long a client waits for a server to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers that can be asked now.
#[derive(Debug)]
pub(super) struct Nodes {
    there: Mutex<Vec<Option<Node>>>,
    changed: Condvar,
}

/// A running server.
#[derive(Clone, Debug)]
struct Node {
    /// No two servers have the same, wherever they listen.
    serial: u64,
    url: String,
}

impl Nodes {
    pub(super) fn new(urls: Vec<String>) -> Self {
        let nodes = urls.into_iter().zip(0..).map(|(url, serial)| Some(Node { serial, url }));
        Self { there: Mutex::new(nodes.collect()), changed: Condvar::new() }
    }

    /// Says that a node is gone.
    pub(super) fn is_gone(&self, place: usize) {
        if let Some(node) = self.there.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
            *node = None;
        }
        self.changed.notify_all();
    }

    /// Says that a node is there again; `serial` is one that no node had.
    pub(super) fn is_back(&self, place: usize, url: String, serial: u64) {
        if let Some(node) = self.there.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
            *node = Some(Node { serial, url });
        }
        self.changed.notify_all();
    }

    /// A node that is there, once `gone` is known to be gone.
    fn pick(&self, random: &mut SplitMix, gone: Option<u64>) -> Result<Node> {
        let mut nodes = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = Instant::now();
        loop {
            let there: Vec<&Node> = nodes.iter().flatten().collect();
            let index = usize::try_from(random.below(there.len() as u64)).unwrap_or(0);
            if let Some(node) = there.get(index)
                && !there.iter().any(|node| Some(node.serial) == gone)
            {
                return Ok((*node).clone());
            }
            if asked.elapsed() > PATIENCE {
                bail!("no server answers, and none was stopped");
            }
            let waited = self.changed.wait_timeout(nodes, Duration::from_secs(1));
            nodes = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// What all clients of a history share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub nodes: &'a Nodes,
    pub engine: &'a str,
    pub began: Instant,
    pub clients: usize,
}

/// One client.
pub(super) struct Client<'a> {
    scene: Scene<'a>,
    number: usize,
    random: SplitMix,
    /// The servers that it has spoken to.
    known: Vec<(u64, Rest)>,
    /// The server that did not answer.
    gone: Option<u64>,
    operations: usize,
    pub records: Vec<Record>,
    pub walks: Vec<Walk>,
}

impl<'a> Client<'a> {
    pub(super) fn new(scene: Scene<'a>, number: usize, seed: u64) -> Self {
        let random = SplitMix::new(seed ^ (number as u64).wrapping_mul(0x9e37_79b9));
        Self {
            scene,
            number,
            random,
            known: Vec::new(),
            gone: None,
            operations: 0,
            records: Vec::new(),
            walks: Vec::new(),
        }
    }

    /// Makes every session.
    pub(super) fn make_all(&mut self) -> Result<()> {
        for slot in 0..SLOTS {
            self.create(slot)?;
        }
        Ok(())
    }

    /// Asks `count` things.
    pub(super) fn ask(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let slots = if self.random.below(10) < 8 { HOT } else { SLOTS };
            let slot = self.below(slots);
            match self.random.below(100) {
                0..45 => self.append(slot)?,
                45..62 => self.call(Call::Get { slot })?,
                62..74 => self.walk_events(slot)?,
                74..82 => self.list_sessions()?,
                82..86 => self.walk_sessions()?,
                86..92 => self.call(Call::Update { slot })?,
                92..97 if slot < HOT => {
                    self.call(Call::Delete { slot })?;
                    if self.random.below(10) < 7 {
                        self.create(slot)?;
                    }
                }
                _ => self.create(slot)?,
            }
        }
        Ok(())
    }

    /// Reads everything once.
    pub(super) fn read_all(&mut self) -> Result<()> {
        for slot in 0..SLOTS {
            self.call(Call::Get { slot })?;
            self.walk(
                slot,
                EventPage { size: 100, after: None, descending: false, from: None, until: None },
            )?;
        }
        Ok(())
    }

    fn create(&mut self, slot: Slot) -> Result<()> {
        let user = self.below(USERS);
        let state = if self.random.below(2) == 0 { self.delta(false) } else { Keys::new() };
        self.call(Call::Create { slot, user, state })
    }

    fn append(&mut self, slot: Slot) -> Result<()> {
        let time = self.time();
        let delta = self.delta(true);
        self.call(Call::Append { slot, time, delta })
    }

    /// Some keys of all scopes: those that all overwrite, and those of this client alone.
    fn delta(&mut self, own: bool) -> Keys {
        let id = self.next_id();
        let mut keys = Keys::new();
        for scope in ["", "user:", "app:"] {
            if own {
                keys.insert(own_key(scope, self.number), Some(id));
            }
            for name in ["a", "b", "c"] {
                match self.random.below(12) {
                    // Nulls do not say who wrote them, so many of them would have too many explanations.
                    0 if name == "c" => keys.insert(format!("{scope}{name}"), None),
                    1..=4 => keys.insert(format!("{scope}{name}"), Some(id)),
                    _ => continue,
                };
            }
        }
        keys
    }

    fn walk_events(&mut self, slot: Slot) -> Result<()> {
        let size = [2, 7, 100].get(self.below(3)).copied().unwrap_or(100);
        let descending = self.random.below(2) == 0;
        let (from, until) = match self.random.below(4) {
            0 => (Some(self.time()), None),
            1 => {
                let (a, b) = (self.time(), self.time());
                (Some(a.min(b)), Some(a.max(b)))
            }
            _ => (None, None),
        };
        self.walk(slot, EventPage { size, after: None, descending, from, until })
    }

    /// Walks to the end of a list of events; every page is an operation of its own.
    fn walk(&mut self, slot: Slot, mut page: EventPage) -> Result<()> {
        let first = page;
        let began = self.scene.began.elapsed();
        let mut token = String::new();
        let mut events = Vec::new();
        loop {
            let call = Call::Events { slot, page };
            let Some(Page { items, next }) = self.page(call, |wire| wire.events(slot, &page, &token))? else {
                return Ok(());
            };
            events.extend(items);
            if next.is_empty() {
                break;
            }
            page.after = events.last().copied();
            token = next;
        }
        let ended = self.scene.began.elapsed();
        self.walks.push(Walk::Events { slot, page: first, began, ended, events });
        Ok(())
    }

    fn list_sessions(&mut self) -> Result<()> {
        let user = match self.below(USERS + 1) {
            USERS => None,
            user => Some(user),
        };
        let call = Call::Sessions { user };
        let descending = self.random.below(2) == 0;
        let order = if descending { "update_time desc" } else { "update_time" };
        if let Some(Page { items, next }) = self.page(call, |wire| wire.sessions(user, order, 100, ""))? {
            if !next.is_empty() {
                bail!("a list of {} sessions has a second page", items.len());
            }
            let times: Vec<i64> = items.iter().map(|seen| seen.update_time).collect();
            let sorted = if descending { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() };
            if !sorted {
                bail!("a list by {order} has the update times {times:?}");
            }
        }
        Ok(())
    }

    /// Walks over the sessions by small pages. Pages of different times are no operation of the model.
    fn walk_sessions(&mut self) -> Result<()> {
        let descending = self.random.below(2) == 0;
        let order = if descending { "create_time desc" } else { "create_time" };
        let size = 1 + self.below(3);
        let began = self.scene.began.elapsed();
        let mut sessions: Vec<Seen> = Vec::new();
        let mut token = String::new();
        loop {
            let (node, outcome) = self.with_node(|wire| wire.sessions(None, order, size, &token))?;
            match outcome {
                (_, Some(Page { items, next })) => {
                    sessions.extend(items);
                    token = next;
                }
                (Outcome::Unknown, None) => {
                    self.gone = Some(node);
                    return Ok(());
                }
                (Outcome::Answered(answer), None) => bail!("a list of sessions was answered {answer:?}"),
            }
            if token.is_empty() {
                break;
            }
        }
        let ended = self.scene.began.elapsed();
        self.walks.push(Walk::Sessions { descending, began, ended, sessions });
        Ok(())
    }

    fn call(&mut self, call: Call) -> Result<()> {
        let id = self.next_id();
        let sent = call.clone();
        self.page(call, move |wire| Ok((wire.send(id, &sent)?, None::<Page<Id>>))).map(drop)
    }

    /// Asks, and records the operation.
    fn page<T>(
        &mut self,
        call: Call,
        ask: impl Fn(&Wire<'_>) -> Result<(Outcome, Option<Page<T>>)>,
    ) -> Result<Option<Page<T>>> {
        let id = self.next_id();
        self.operations += 1;
        let client = self.number;
        let mut invoked = Duration::ZERO;
        let began = self.scene.began;
        let (node, (outcome, page)) = self.with_node(|wire| {
            invoked = began.elapsed();
            ask(wire)
        })?;
        let (answer, returned) = match outcome {
            Outcome::Answered(answer) => (Some(answer), began.elapsed()),
            Outcome::Unknown => {
                self.gone = Some(node);
                (None, Duration::MAX)
            }
        };
        // A read that was not answered says nothing.
        if answer.is_some() || call.is_write() {
            self.records.push(Record { id, client, call, answer, invoked, returned });
        }
        Ok(page)
    }

    /// Does something with a server that is there, and says which.
    fn with_node<T>(&mut self, ask: impl FnOnce(&Wire<'_>) -> Result<T>) -> Result<(u64, T)> {
        let Node { serial, url } = self.scene.nodes.pick(&mut self.random, self.gone)?;
        if !self.known.iter().any(|(known, _)| *known == serial) {
            self.known.push((serial, Rest::new(&url)));
        }
        let (_, rest) = self.known.iter().find(|(known, _)| *known == serial).context("it was just added")?;
        let answer = ask(&Wire { rest, engine: self.scene.engine })?;
        Ok((serial, answer))
    }

    /// Numbers of a client go up.
    fn next_id(&self) -> Id {
        let clients = self.scene.clients;
        Id::try_from(self.operations * clients + self.number + 1).unwrap_or(Id::MAX)
    }

    fn time(&mut self) -> i64 {
        FIRST_TIME + i64::try_from(self.random.below(TIMES)).unwrap_or(0) * 1_000_000
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(end as u64)).unwrap_or(0)
    }
}

/// The key that one client alone writes, always upwards.
pub(super) fn own_key(scope: &str, client: usize) -> String {
    format!("{scope}own{client}")
}

/// Whether an answer is one about a session.
pub(super) fn sessions_of(answer: &Answer) -> &[Seen] {
    match answer {
        Answer::Session(seen) => std::slice::from_ref(&**seen),
        Answer::Sessions(all) => all,
        _ => &[],
    }
}
