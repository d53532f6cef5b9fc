//! Events: a batch of appends in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{Append, Appended, NewEvent, StoreError, StoreResult};
use colloquy_sessions::time::Timestamp;
use resource_names::SessionName;
use tokio_postgres::Row;

use super::engines::later;
use super::find::{self, Found};
use super::requests::{self, Requests};
use super::sizes::{self, Sizes, Totals};
use super::state::{self, Users};
use crate::error::Attempt;
use crate::pipeline::{Answers, Exchange, Pipeline, Place, Step, Steps};
use crate::row;
use crate::session_keys::{Owners, SessionKeys};

/// Appends that share a transaction, in their order. What one of them is refused does not touch the others.
pub(crate) struct Batch<'a> {
    pub(crate) appends: &'a [Append],
    pub(crate) sessions: &'a SessionKeys,
}

/// What appends must know of a session, and what they make of it.
#[derive(Clone, Copy)]
struct Clock {
    owners: Owners,
    expire_time: i64,
    update_time: Timestamp,
    last_sequence: i64,
    state_bytes: i64,
    is_changed: bool,
}

/// The size of a state that sessions share, as it was read, and as the batch leaves it.
#[derive(Clone, Copy)]
struct Size {
    read: i64,
    now: i64,
}

impl From<i64> for Size {
    fn from(bytes: i64) -> Self {
        Self { read: bytes, now: bytes }
    }
}

impl Exchange for Batch<'_> {
    type Output = Vec<StoreResult<Vec<Appended>>>;

    async fn run(&self, pipeline: &mut Pipeline) -> Attempt<Self::Output> {
        let names: BTreeSet<&SessionName> = self.appends.iter().map(|append| &append.session).collect();
        let mut locked = loop {
            let found = find::sessions(pipeline, self.sessions, &names).await?;
            let locked = self.lock(pipeline, &found).await?;
            // Those that were remembered may be gone, and their names given again.
            let gone = found
                .iter()
                .filter(|(name, found)| found.is_remembered && !locked.clocks.contains_key(*name))
                .inspect(|(name, _)| self.sessions.forget(name));
            if gone.count() == 0 {
                break locked;
            }
            pipeline.roll_back().await?;
        };
        let answers = self.appends.iter().map(|append| locked.take(append)).collect();
        if !locked.events.is_empty() {
            pipeline.commit(locked.write()?).await?;
        }
        Ok(answers)
    }
}

impl<'a> Batch<'a> {
    /// Opens the transaction: locks the sessions of the batch and what they share, and reads what the appends need.
    async fn lock(
        &self,
        pipeline: &mut Pipeline,
        found: &BTreeMap<&'a SessionName, Found>,
    ) -> Attempt<Locked<'a>> {
        if found.is_empty() {
            return Ok(Locked::default());
        }
        let mut steps = Steps::default();
        // In the order in which all lock: sessions, apps, users. What is read after that is as others have left it.
        let mut sessions: Vec<(Owners, &'a SessionName)> =
            found.iter().map(|(name, found)| (found.owners, *name)).collect();
        sessions.sort_unstable_by_key(|(owners, _)| (owners.engine_key, owners.session_key));
        let clocks = steps.add(lock_clocks(&sessions));
        let shared = SharedAsked::add(&mut steps, found, self.appends);
        let sizes = sizes::Asked::add(&mut steps, deltas(found, self.appends));
        let requests = self.appends.iter().filter_map(|append| {
            let owners = found.get(&append.session)?.owners;
            Some((owners.engine_key, owners.session_key, append.request.as_ref()))
        });
        let requests = requests::Asked::add(&mut steps, requests);

        let answers = pipeline.begin(steps).await?;
        let mut locked = Locked {
            sizes: sizes.read(&answers)?,
            requests: requests.read(&answers)?,
            ..shared.read(&answers)?
        };
        for row in answers.of(clocks) {
            let place: i64 = row.try_get(0)?;
            // Places are counted from 1.
            let place = usize::try_from(place.saturating_sub(1)).unwrap_or(usize::MAX);
            let Some((owners, name)) = sessions.get(place) else { continue };
            // The engine may be deleted, and its sessions not yet.
            if locked.apps.contains_key(&owners.engine_key) {
                locked.clocks.insert(name, Clock::read(*owners, row)?);
            }
        }
        Ok(locked)
    }
}

fn lock_clocks<'a>(sessions: &[(Owners, &'a SessionName)]) -> Step<'a> {
    let engines: Vec<i64> = sessions.iter().map(|(owners, _)| owners.engine_key).collect();
    let keys: Vec<i64> = sessions.iter().map(|(owners, _)| owners.session_key).collect();
    let ids: Vec<&[u8]> = sessions.iter().map(|(_, name)| name.session.as_bytes()).collect();
    Step::new(sql!("events/lock")).with(engines).with(keys).with(ids)
}

/// The deltas of events whose sessions were found.
fn deltas<'a>(
    found: &BTreeMap<&'a SessionName, Found>,
    appends: &'a [Append],
) -> impl Iterator<Item = (Owners, &'a StateDelta)> {
    appends.iter().filter_map(|append| Some((found.get(&append.session)?.owners, &append.events))).flat_map(
        |(owners, events)| {
            let deltas = events.iter().map(|event| &event.delta).filter(|delta| !delta.is_empty());
            deltas.map(move |delta| (owners, delta))
        },
    )
}

impl Clock {
    fn read(owners: Owners, row: &Row) -> Attempt<Self> {
        Ok(Self {
            owners,
            expire_time: row.try_get(1)?,
            update_time: Timestamp(row.try_get(2)?),
            last_sequence: row.try_get(3)?,
            state_bytes: row.try_get(4)?,
            is_changed: false,
        })
    }
}

/// The sizes of states that sessions share, as they are asked for: locked where a delta changes the state.
struct SharedAsked {
    users: [Option<Place>; 2],
    apps: Place,
}

impl SharedAsked {
    fn add<'a>(
        steps: &mut Steps<'_>,
        found: &BTreeMap<&'a SessionName, Found>,
        appends: &'a [Append],
    ) -> Self {
        let engines: BTreeSet<i64> = found.values().map(|found| found.owners.engine_key).collect();
        let (mut apps, mut users, mut read_users) = (BTreeSet::new(), Users::new(), Users::new());
        for (owners, delta) in deltas(found, appends) {
            let user = (owners.engine_key, owners.user_key);
            if !delta.app.is_empty() {
                apps.insert(owners.engine_key);
            }
            if delta.user.is_empty() {
                read_users.insert(user)
            } else {
                users.insert(user)
            };
        }
        read_users.retain(|user| !users.contains(user));
        steps.add_if(state::lock_apps(&apps));
        Self {
            users: [steps.add_if(state::lock_users(&users)), steps.add_if(state::user_bytes(&read_users))],
            apps: steps
                .add(Step::new(sql!("events/engines")).with(engines.into_iter().collect::<Vec<i64>>())),
        }
    }

    fn read<'a>(&self, answers: &Answers) -> Attempt<Locked<'a>> {
        let mut shared = Locked::default();
        // Read after the locks, so that it is the size of what was locked.
        for row in answers.of(self.apps) {
            shared.apps.insert(row.try_get(0)?, row.try_get::<_, i64>(1)?.into());
        }
        for row in self.users.iter().flat_map(|users| answers.of_any(*users)) {
            shared.users.insert((row.try_get(0)?, row.try_get(1)?), row.try_get::<_, i64>(2)?.into());
        }
        Ok(shared)
    }
}

/// What a batch has locked and read, and is going to write.
#[derive(Default)]
struct Locked<'a> {
    clocks: BTreeMap<&'a SessionName, Clock>,
    /// By the keys of live engines.
    apps: HashMap<i64, Size>,
    /// By the keys of their engines and their own.
    users: HashMap<(i64, i64), Size>,
    sizes: Sizes,
    requests: Requests<'a>,
    events: Vec<(Owners, i64, &'a NewEvent)>,
}

impl<'a> Locked<'a> {
    /// Takes one append in, or refuses it and leaves everything as it was.
    fn take(&mut self, append: &'a Append) -> StoreResult<Vec<Appended>> {
        let clock = self.clocks.get(&append.session).copied();
        let mut clock =
            clock.filter(|clock| append.now.0 < clock.expire_time).ok_or(StoreError::SessionNotFound)?;
        let Owners { engine_key, user_key, session_key } = clock.owners;
        let request = append.request.as_ref();
        self.requests.check(engine_key, session_key, request)?;

        let (app, user) =
            (self.apps.get(&engine_key).copied(), self.users.get(&(engine_key, user_key)).copied());
        let accepted = self.events.len();
        let events = append.events.iter();
        let appended = events.map(|event| self.take_event(&mut clock, append, event)).collect();
        match &appended {
            Ok(_) => {
                self.sizes.keep();
                self.clocks.insert(&append.session, clock);
                self.requests.take(engine_key, session_key, request);
            }
            Err(_) => {
                self.sizes.undo();
                self.events.truncate(accepted);
                self.apps.extend(app.map(|app| (engine_key, app)));
                self.users.extend(user.map(|user| ((engine_key, user_key), user)));
            }
        }
        appended
    }

    fn take_event(
        &mut self,
        clock: &mut Clock,
        append: &Append,
        event: &'a NewEvent,
    ) -> StoreResult<Appended> {
        row::id_column(event.id)?;
        let last_sequence = clock.last_sequence.saturating_add(1);
        let appended = Appended {
            sequence: u64::try_from(last_sequence).map_err(|_| {
                StoreError::Internal(format!("{} has the sequence {last_sequence}", append.session))
            })?,
            update_time: later(event.update_time, clock.update_time),
        };
        if !event.delta.is_empty() {
            self.grow(clock, &event.delta, append.state_limit)?;
        }
        clock.last_sequence = last_sequence;
        clock.update_time = appended.update_time;
        clock.is_changed = true;
        self.events.push((clock.owners, last_sequence, event));
        Ok(appended)
    }

    fn grow(&mut self, clock: &mut Clock, delta: &StateDelta, limit: usize) -> StoreResult<()> {
        let Owners { engine_key, user_key, .. } = clock.owners;
        let app = self.apps.get_mut(&engine_key);
        let user = self.users.get_mut(&(engine_key, user_key));
        // Without them, the purge of the engine was there first.
        let (Some(app), Some(user)) = (app, user) else { return Err(StoreError::SessionNotFound) };
        let before = Totals { app: app.now, user: user.now, session: clock.state_bytes };
        let after = self.sizes.grow(clock.owners, before, delta, limit)?;
        (app.now, user.now, clock.state_bytes) = (after.app, after.user, after.session);
        Ok(())
    }

    /// All that the batch writes. None waits for another: all rows that others may want are locked.
    fn write(&self) -> StoreResult<Steps<'a>> {
        let mut steps = Steps::default();
        state::put(&mut steps, self.events.iter().map(|(owners, _, event)| (*owners, &event.delta)));
        let apps: Vec<_> = changed(&self.apps).map(|(engine, bytes)| (*engine, bytes)).collect();
        steps.add_if(state::set_app_bytes(&apps));
        let users: Vec<_> =
            changed(&self.users).map(|((engine, user), bytes)| (*engine, *user, bytes)).collect();
        steps.add_if(state::set_user_bytes(&users));
        steps.add(advance(self.clocks.values().filter(|clock| clock.is_changed)));
        steps.add(insert(&self.events)?);
        self.requests.write(&mut steps);
        Ok(steps)
    }
}

/// The sizes that the batch changes.
fn changed<K: Eq + Hash>(sizes: &HashMap<K, Size>) -> impl Iterator<Item = (&K, i64)> {
    sizes.iter().filter(|(_, size)| size.now != size.read).map(|(key, size)| (key, size.now))
}

fn advance<'a, 'c>(clocks: impl Iterator<Item = &'c Clock>) -> Step<'a> {
    let mut clocks: Vec<&Clock> = clocks.collect();
    clocks.sort_unstable_by_key(|clock| (clock.owners.engine_key, clock.owners.session_key));
    let column = |of: fn(&Clock) -> i64| clocks.iter().map(|clock| of(clock)).collect::<Vec<i64>>();
    Step::new(sql!("events/advance_clocks"))
        .with(column(|clock| clock.owners.engine_key))
        .with(column(|clock| clock.owners.session_key))
        .with(column(|clock| clock.update_time.0))
        .with(column(|clock| clock.last_sequence))
        .with(column(|clock| clock.state_bytes))
}

fn insert<'a>(events: &[(Owners, i64, &'a NewEvent)]) -> StoreResult<Step<'a>> {
    let mut events: Vec<_> = events.to_vec();
    events.sort_unstable_by_key(|(owners, sequence, event)| {
        (owners.engine_key, owners.session_key, event.timestamp, *sequence)
    });
    let ids: Vec<i64> =
        events.iter().map(|(.., event)| row::id_column(event.id)).collect::<StoreResult<_>>()?;
    let numbers = |of: fn(&(Owners, i64, &NewEvent)) -> i64| -> Vec<i64> { events.iter().map(of).collect() };
    let texts = |of: fn(&'a NewEvent) -> &'a [u8]| -> Vec<&'a [u8]> {
        events.iter().map(|(.., event)| of(event)).collect()
    };
    Ok(Step::new(sql!("events/insert"))
        .with(numbers(|(owners, ..)| owners.engine_key))
        .with(numbers(|(owners, ..)| owners.session_key))
        .with(numbers(|(_, _, event)| event.timestamp.0))
        .with(numbers(|(_, sequence, _)| *sequence))
        .with(ids)
        .with(texts(|event| event.author.as_bytes()))
        .with(texts(|event| event.invocation_id.as_bytes()))
        .with(texts(|event| &event.payload)))
}
