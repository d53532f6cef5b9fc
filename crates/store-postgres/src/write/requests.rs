//! Requests that may be sent again: looked for before a write, recorded with it, forgotten with time.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use colloquy_sessions::request::Request;
use colloquy_sessions::store::{Progress, StoreError, StoreResult};
use colloquy_sessions::time::Timestamp;

use crate::database::{Command, Parameter, execute, query};
use crate::error::Attempt;
use crate::pipeline::{Answers, Place, Step, Steps};
use crate::row::{self, count};
use crate::transaction::Transaction;

/// The session key of an engine's own requests, which no session has.
pub(super) const OF_ENGINE: i64 = 0;

/// A request by its engine, its session and its id.
type Key<'a> = (i64, i64, &'a [u8]);

/// What is recorded of a request.
struct Record {
    fingerprint: Vec<u8>,
    answer: Bytes,
    time: i64,
}

/// The requests of a write, or of several: those that were carried out before, and those that are to be recorded.
#[derive(Default)]
pub(super) struct Requests<'a> {
    recorded: HashMap<Key<'a>, Record>,
    new: BTreeMap<Key<'a>, &'a Request>,
}

/// Requests that are being looked for.
pub(super) struct Asked<'a>(Vec<Key<'a>>, Option<Place>);

impl<'a> Asked<'a> {
    /// Looks for requests, each given by the keys of its engine and its session. Nobody else carries out one of a
    /// session while that is locked; of an engine's requests, the index tells when they are recorded.
    pub(super) fn add(
        steps: &mut Steps<'a>,
        requests: impl IntoIterator<Item = (i64, i64, Option<&'a Request>)>,
    ) -> Self {
        let keys = requests.into_iter().filter_map(|(engine_key, session_key, request)| {
            request.map(|request| (engine_key, session_key, request.key.id.as_bytes()))
        });
        let mut keys: Vec<Key<'a>> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        let step = (!keys.is_empty()).then(|| with_keys(Step::new(sql!("requests/find")), &keys));
        let place = steps.add_if(step);
        Self(keys, place)
    }

    pub(super) fn read(&self, answers: &Answers) -> Attempt<Requests<'a>> {
        let mut recorded = HashMap::new();
        for row in answers.of_any(self.1) {
            let place: i64 = row.try_get(0)?;
            // Places are counted from 1.
            let place = usize::try_from(place).ok().and_then(|place| self.0.get(place.checked_sub(1)?));
            let Some(key) = place else { continue };
            let record =
                Record { fingerprint: row.try_get(1)?, answer: row::bytes(row, 2)?, time: row.try_get(3)? };
            recorded.insert(*key, record);
        }
        Ok(Requests { recorded, new: BTreeMap::new() })
    }
}

impl<'a> Requests<'a> {
    /// Refuses a request that was carried out before, or whose id was used for another.
    pub(super) fn check(
        &self,
        engine_key: i64,
        session_key: i64,
        request: Option<&'a Request>,
    ) -> StoreResult<()> {
        let Some(request) = request else { return Ok(()) };
        let key = (engine_key, session_key, request.key.id.as_bytes());
        let known = |time: i64| time >= request.known_since.0;
        let told = |fingerprint: &[u8], answer: &Bytes| {
            let is_same = fingerprint == request.key.fingerprint;
            Err(if is_same { StoreError::Repeated(answer.clone()) } else { StoreError::RequestIdTaken })
        };
        // What goes with the same batch is the later one.
        if let Some(new) = self.new.get(&key).filter(|new| known(new.time.0)) {
            return told(&new.key.fingerprint, &new.answer);
        }
        match self.recorded.get(&key).filter(|record| known(record.time)) {
            Some(record) => told(&record.fingerprint, &record.answer),
            None => Ok(()),
        }
    }

    /// Takes a request in that [`Requests::check`] did not refuse.
    pub(super) fn take(&mut self, engine_key: i64, session_key: i64, request: Option<&'a Request>) {
        if let Some(request) = request {
            self.new.insert((engine_key, session_key, request.key.id.as_bytes()), request);
        }
    }

    /// Records what was taken in.
    pub(super) fn write(&self, steps: &mut Steps<'a>) {
        let old: Vec<_> = self.new.iter().filter(|(key, _)| self.recorded.contains_key(*key)).collect();
        if !old.is_empty() {
            let keys: Vec<Key<'a>> = old.iter().map(|(key, _)| **key).collect();
            let known_since: Vec<i64> = old.iter().map(|(_, request)| request.known_since.0).collect();
            steps.add(with_keys(Step::new(sql!("requests/forget")), &keys).with(known_since));
        }
        if !self.new.is_empty() {
            let keys: Vec<Key<'a>> = self.new.keys().copied().collect();
            let column = |of: fn(&'a Request) -> &'a [u8]| -> Vec<&'a [u8]> {
                self.new.values().map(|request| of(request)).collect()
            };
            let step = with_keys(Step::new(sql!("requests/insert")), &keys)
                .with(column(|request| &request.key.fingerprint))
                .with(column(|request| &request.answer))
                .with(self.new.values().map(|request| request.time.0).collect::<Vec<i64>>());
            steps.add(step);
        }
    }
}

fn with_keys<'a>(step: Step<'a>, keys: &[Key<'a>]) -> Step<'a> {
    let engines: Vec<i64> = keys.iter().map(|(engine, ..)| *engine).collect();
    let sessions: Vec<i64> = keys.iter().map(|(_, session, _)| *session).collect();
    let ids: Vec<&'a [u8]> = keys.iter().map(|(.., id)| *id).collect();
    step.with(engines).with(sessions).with(ids)
}

/// See `Store::sweep_requests`.
pub(crate) struct SweepRequests {
    pub(crate) recorded_before: Timestamp,
    pub(crate) limit: usize,
}

impl Command for SweepRequests {
    type Output = Progress;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Progress> {
        // One more than the limit tells whether there is more.
        let asked = count(self.limit.saturating_add(1));
        let parameters: [Parameter<'_>; 2] = [&self.recorded_before.0, &asked];
        let mut old = query(transaction, sql!("upkeep/old_requests"), &parameters).await?;
        let more = old.len() > self.limit;
        old.truncate(self.limit);
        let (mut engines, mut sessions, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for row in &old {
            engines.push(row.try_get::<_, i64>(0)?);
            sessions.push(row.try_get::<_, i64>(1)?);
            ids.push(row.try_get::<_, &[u8]>(2)?);
        }
        let before = vec![self.recorded_before.0; old.len()];
        let parameters: [Parameter<'_>; 4] = [&engines, &sessions, &ids, &before];
        let rows = execute(transaction, sql!("requests/forget"), &parameters).await?;
        Ok(Progress { rows, more })
    }
}
