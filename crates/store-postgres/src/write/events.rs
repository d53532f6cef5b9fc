//! Events: a batch of appends in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{Append, Appended, StoreError, StoreResult};
use colloquy_sessions::time::Timestamp;
use resource_names::{EngineName, SessionName};

use super::engines::later;
use super::sizes::{Owners, Sizes, Totals};
use super::state;
use crate::database::{Command, Parameter, execute, query};
use crate::engine_keys::EngineKeys;
use crate::error::Attempt;
use crate::read;
use crate::row;
use crate::transaction::Transaction;

/// An append of one event.
pub(crate) struct NewEvent {
    pub(crate) session: SessionName,
    id: u64,
    timestamp: Timestamp,
    author: String,
    invocation_id: String,
    pub(crate) delta: StateDelta,
    state_limit: usize,
    pub(crate) payload: Bytes,
    update_time: Timestamp,
    now: Timestamp,
}

impl NewEvent {
    pub(crate) fn of(append: Append) -> Vec<Self> {
        let Append { session, events, state_limit, now, .. } = append;
        let event = |event: colloquy_sessions::store::NewEvent| Self {
            session: session.clone(),
            id: event.id,
            timestamp: event.timestamp,
            author: event.author,
            invocation_id: event.invocation_id,
            delta: event.delta,
            state_limit,
            payload: event.payload,
            update_time: event.update_time,
            now,
        };
        events.into_iter().map(event).collect()
    }
}

/// Appends that share a transaction, in their order. What one of them is refused does not touch the others.
pub(crate) struct Batch<'a> {
    pub(crate) events: &'a [NewEvent],
    pub(crate) engines: &'a Arc<EngineKeys>,
}

/// What appends must know of a session, and what they make of it.
struct Clock {
    owners: Owners,
    expire_time: i64,
    update_time: Timestamp,
    last_sequence: i64,
    /// Those of the app and the user as they were when the session was locked; see [`Shared`].
    totals: Totals,
    is_changed: bool,
}

/// The sizes of states that sessions share, locked where a delta of the batch changes them.
struct Shared {
    apps: HashMap<i64, Size>,
    users: HashMap<(i64, i64), Size>,
}

/// The size of a state as it was locked, and as the batch leaves it.
struct Size {
    locked: i64,
    now: i64,
}

impl From<i64> for Size {
    fn from(bytes: i64) -> Self {
        Self { locked: bytes, now: bytes }
    }
}

fn sizes<K: Eq + std::hash::Hash>(bytes: HashMap<K, i64>) -> HashMap<K, Size> {
    bytes.into_iter().map(|(key, bytes)| (key, bytes.into())).collect()
}

impl Command for Batch<'_> {
    type Output = Vec<StoreResult<Appended>>;

    async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Self::Output> {
        let mut clocks = self.lock(transaction).await?;
        let deltas = || {
            let events = self.events.iter().filter(|event| !event.delta.is_empty());
            events.filter_map(|event| Some((clocks.get(&event.session)?.owners, &event.delta)))
        };
        let shared = lock_shared(transaction, deltas()).await?;
        let sizes = Sizes::read(transaction, deltas()).await?;
        let mut accepted = Accepted { sizes, shared, events: Vec::new() };
        let answers = self.events.iter().map(|event| match clocks.get_mut(&event.session) {
            Some(clock) => accepted.take(clock, event),
            None => Err(StoreError::SessionNotFound),
        });
        let answers: Vec<_> = answers.collect();
        accepted.write(transaction, &clocks).await?;
        Ok(answers)
    }
}

impl Batch<'_> {
    /// Locks the sessions of the batch; those that are not there are missing.
    async fn lock(&self, transaction: &Transaction<'_>) -> Attempt<BTreeMap<SessionName, Clock>> {
        let mut missing: BTreeSet<&SessionName> = self.events.iter().map(|event| &event.session).collect();
        let mut clocks = BTreeMap::new();
        let mut keys: HashMap<&EngineName, i64> = HashMap::new();
        for name in &missing {
            if let Some(key) = self.engines.get(&name.engine) {
                keys.insert(&name.engine, key);
            }
        }
        lock_known(transaction, &keys, &missing, &mut clocks).await?;
        missing.retain(|name| !clocks.contains_key(*name));
        if missing.is_empty() {
            return Ok(clocks);
        }
        // Their engines are not known, or the keys are those of engines that are gone.
        let mut found = HashMap::new();
        for name in &missing {
            if found.contains_key(&name.engine) {
                continue;
            }
            let key = read::engines::find(transaction, &name.engine).await?;
            if let Some(key) = key.filter(|key| keys.get(&name.engine) != Some(key)) {
                self.engines.put(&name.engine, key);
                found.insert(&name.engine, key);
            }
        }
        lock_known(transaction, &found, &missing, &mut clocks).await?;
        Ok(clocks)
    }
}

/// Locks those sessions whose engine has a key here.
async fn lock_known(
    transaction: &Transaction<'_>,
    keys: &HashMap<&EngineName, i64>,
    names: &BTreeSet<&SessionName>,
    clocks: &mut BTreeMap<SessionName, Clock>,
) -> Attempt<()> {
    let asked: Vec<(i64, &SessionName)> =
        names.iter().filter_map(|name| Some((*keys.get(&name.engine)?, *name))).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let engines: Vec<i64> = asked.iter().map(|(key, _)| *key).collect();
    let ids: Vec<&[u8]> = asked.iter().map(|(_, name)| name.session.as_bytes()).collect();
    for row in query(transaction, sql!("events/lock"), &[&engines, &ids]).await? {
        // Places are counted from 1.
        let place: i64 = row.try_get(0)?;
        let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some((engine_key, name)) = asked.get(place) else { continue };
        let owners =
            Owners { engine_key: *engine_key, session_key: row.try_get(1)?, user_key: row.try_get(2)? };
        let clock = Clock {
            owners,
            expire_time: row.try_get(3)?,
            update_time: Timestamp(row.try_get(4)?),
            last_sequence: row.try_get(5)?,
            totals: Totals { app: row.try_get(6)?, user: row.try_get(7)?, session: row.try_get(8)? },
            is_changed: false,
        };
        clocks.insert((*name).clone(), clock);
    }
    Ok(())
}

/// Locks the shared states that deltas change, in the order of their keys.
async fn lock_shared<'d>(
    transaction: &Transaction<'_>,
    deltas: impl Iterator<Item = (Owners, &'d StateDelta)>,
) -> Attempt<Shared> {
    let (mut apps, mut users) = (BTreeSet::new(), BTreeSet::new());
    for (owners, delta) in deltas {
        if !delta.app.is_empty() {
            apps.insert(owners.engine_key);
        }
        if !delta.user.is_empty() {
            users.insert((owners.engine_key, owners.user_key));
        }
    }
    let mut shared = Shared { apps: HashMap::new(), users: HashMap::new() };
    if !apps.is_empty() {
        let apps: Vec<_> = apps.into_iter().collect();
        shared.apps = sizes(state::lock_apps(transaction, &apps).await?);
    }
    if !users.is_empty() {
        let users: Vec<_> = users.into_iter().collect();
        shared.users = sizes(state::lock_users(transaction, &users).await?);
    }
    Ok(shared)
}

/// What a batch is going to write.
struct Accepted<'a> {
    sizes: Sizes,
    shared: Shared,
    events: Vec<(Owners, i64, &'a NewEvent)>,
}

impl<'a> Accepted<'a> {
    /// Takes one append in, or refuses it and leaves everything as it was.
    fn take(&mut self, clock: &mut Clock, event: &'a NewEvent) -> StoreResult<Appended> {
        if clock.expire_time <= event.now.0 {
            return Err(StoreError::SessionNotFound);
        }
        row::id_column(event.id)?;
        let last_sequence = clock.last_sequence.saturating_add(1);
        let appended = Appended {
            sequence: u64::try_from(last_sequence).map_err(|_| {
                StoreError::Internal(format!("{} has the sequence {last_sequence}", event.session))
            })?,
            update_time: later(event.update_time, clock.update_time),
        };
        if !event.delta.is_empty() {
            self.grow(clock, event)?;
        }
        clock.last_sequence = last_sequence;
        clock.update_time = appended.update_time;
        clock.is_changed = true;
        self.events.push((clock.owners, last_sequence, event));
        Ok(appended)
    }

    fn grow(&mut self, clock: &mut Clock, event: &NewEvent) -> StoreResult<()> {
        let Owners { engine_key, user_key, .. } = clock.owners;
        let mut before = clock.totals;
        // Another session of the batch may have moved them since the lock.
        match self.shared.apps.get(&engine_key) {
            Some(size) => before.app = size.now,
            None if event.delta.app.is_empty() => {}
            // The engine's purge was there first.
            None => return Err(StoreError::SessionNotFound),
        }
        match self.shared.users.get(&(engine_key, user_key)) {
            Some(size) => before.user = size.now,
            None if event.delta.user.is_empty() => {}
            None => return Err(StoreError::SessionNotFound),
        }
        let after = self.sizes.grow(clock.owners, before, &event.delta, event.state_limit)?;
        if let Some(size) = self.shared.apps.get_mut(&engine_key) {
            size.now = after.app;
        }
        if let Some(size) = self.shared.users.get_mut(&(engine_key, user_key)) {
            size.now = after.user;
        }
        clock.totals.session = after.session;
        Ok(())
    }

    async fn write(
        &self,
        transaction: &Transaction<'_>,
        clocks: &BTreeMap<SessionName, Clock>,
    ) -> Attempt<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let apps = self.shared.apps.iter().filter(|(_, size)| size.now != size.locked);
        let mut apps: Vec<_> = apps.map(|(key, size)| (*key, size.now)).collect();
        apps.sort_unstable();
        let users = self.shared.users.iter().filter(|(_, size)| size.now != size.locked);
        let mut users: Vec<_> = users.map(|((engine, user), size)| (*engine, *user, size.now)).collect();
        users.sort_unstable();
        let deltas = self.events.iter().map(|(owners, _, event)| (*owners, &event.delta));
        // None waits for another: all rows that others may want are locked.
        tokio::try_join!(
            state::put(transaction, deltas),
            state::set_app_bytes(transaction, &apps),
            state::set_user_bytes(transaction, &users),
            advance(transaction, clocks),
            insert(transaction, &self.events),
        )?;
        Ok(())
    }
}

async fn advance(transaction: &Transaction<'_>, clocks: &BTreeMap<SessionName, Clock>) -> Attempt<()> {
    let mut changed: Vec<&Clock> = clocks.values().filter(|clock| clock.is_changed).collect();
    changed.sort_unstable_by_key(|clock| (clock.owners.engine_key, clock.owners.session_key));
    let column = |of: fn(&Clock) -> i64| changed.iter().map(|clock| of(clock)).collect::<Vec<i64>>();
    let parameters: [Parameter<'_>; 5] = [
        &column(|clock| clock.owners.engine_key),
        &column(|clock| clock.owners.session_key),
        &column(|clock| clock.update_time.0),
        &column(|clock| clock.last_sequence),
        &column(|clock| clock.totals.session),
    ];
    execute(transaction, sql!("events/advance_clocks"), &parameters).await.map(drop)
}

async fn insert(transaction: &Transaction<'_>, events: &[(Owners, i64, &NewEvent)]) -> Attempt<()> {
    let mut events: Vec<_> = events.iter().collect();
    events.sort_unstable_by_key(|(owners, sequence, event)| {
        (owners.engine_key, owners.session_key, event.timestamp, *sequence)
    });
    let ids: Vec<i64> =
        events.iter().map(|(.., event)| row::id_column(event.id)).collect::<StoreResult<_>>()?;
    let numbers = |of: fn(&(Owners, i64, &NewEvent)) -> i64| -> Vec<i64> {
        events.iter().map(|event| of(event)).collect()
    };
    let authors: Vec<&[u8]> = events.iter().map(|(.., event)| event.author.as_bytes()).collect();
    let invocations: Vec<&[u8]> = events.iter().map(|(.., event)| event.invocation_id.as_bytes()).collect();
    let payloads: Vec<&[u8]> = events.iter().map(|(.., event)| &*event.payload).collect();
    let parameters: [Parameter<'_>; 8] = [
        &numbers(|(owners, ..)| owners.engine_key),
        &numbers(|(owners, ..)| owners.session_key),
        &numbers(|(_, _, event)| event.timestamp.0),
        &numbers(|(_, sequence, _)| *sequence),
        &ids,
        &authors,
        &invocations,
        &payloads,
    ];
    execute(transaction, sql!("events/insert"), &parameters).await.map(drop)
}
