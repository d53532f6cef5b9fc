//! One history on two stores.

use std::fmt::Debug;
use std::sync::Arc;

use colloquy_sessions::Timestamp;
use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::operation::{Operation, OperationKind};
use colloquy_sessions::request::{Request, RequestKey};
use colloquy_sessions::state::StateDelta;
use colloquy_sessions::store::{
    Append, EngineQuery, EngineUpdate, EventQuery, NewEngine, NewEvent, NewOperation, NewSession,
    OperationQuery, Progress, SessionDeletion, SessionQuery, SessionUpdate, Store, StoreResult,
};
use resource_names::{EngineName, LocationName, OperationParent, SessionName};

use super::command::{
    Action, Command, ENGINES, EngineAction, EngineAt, EventAction, OperationAction, Parent, RequestAt,
    SESSION_IDS, SessionAction, SessionAt, SessionDraft, UpkeepAction,
};
use crate::fixture::{self, World, at, engines_in, events_in, operations_in, sessions_in, walk};
use crate::transfer::{Site, migrated};
use crate::{MemoryStore, Seen};

/// How long requests are known.
const REQUEST_LIFE: i64 = 20;

/// The engines of a history: two in one place, and one of the first's id in another.
pub(super) fn engine_names() -> [EngineName; ENGINES] {
    let elsewhere = fixture::location("1234567890", "europe-west1");
    [fixture::engine("1"), fixture::engine("2"), EngineName { location: elsewhere, engine: "1".to_owned() }]
}

/// Runs a history; `Err` where the store does not answer as the model does.
pub(super) async fn replay(subject: Arc<dyn Store>, history: Vec<Command>) -> Result<(), String> {
    let mut replay = Replay {
        drafts: World::over(Arc::clone(&subject)),
        subject,
        model: Arc::new(MemoryStore::new()),
        now: 0,
        issued: Vec::new(),
    };
    replay.begin().await.map_err(|difference| format!("at the beginning, {difference}"))?;
    for (number, command) in history.into_iter().enumerate() {
        replay.now += command.clock;
        let now = replay.now;
        replay
            .step(command.action)
            .await
            .map_err(|difference| format!("step {number} at {now}, {difference}"))?;
    }
    replay.compare_all().await.map_err(|difference| format!("at the end, {difference}"))?;
    replay.purge_all().await.map_err(|difference| format!("purging, {difference}"))?;
    replay.compare_all().await.map_err(|difference| format!("after the last purge, {difference}"))
}

/// Runs the first half of a history in one store, moves everything into another, and runs the rest there; `Err`
/// where a store does not answer as the model does, which stays where it is.
pub(super) async fn replay_moved(
    from: &dyn Site,
    to: &dyn Site,
    history: Vec<Command>,
) -> Result<(), String> {
    let model: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut replay = Replay {
        drafts: World::over(Arc::clone(&model)),
        subject: from.serve().await?,
        model,
        now: 0,
        issued: Vec::new(),
    };
    replay.begin().await?;
    let half = history.len() / 2;
    for (number, command) in history.into_iter().enumerate() {
        if number == half {
            // Nobody is served while everything moves.
            replay.subject = Arc::clone(&replay.model);
            migrated(from, to).await;
            replay.subject = to.serve().await?;
            replay.compare_all().await.map_err(|difference| format!("after the move, {difference}"))?;
        }
        replay.now += command.clock;
        replay.step(command.action).await.map_err(|difference| format!("step {number}, {difference}"))?;
    }
    replay.compare_all().await.map_err(|difference| format!("at the end, {difference}"))?;
    replay.purge_all().await.map_err(|difference| format!("purging, {difference}"))?;
    replay.compare_all().await.map_err(|difference| format!("after the last purge, {difference}"))
}

struct Replay {
    subject: Arc<dyn Store>,
    model: Arc<dyn Store>,
    /// Only its ids and drafts are used.
    drafts: World,
    now: i64,
    /// Every operation that was ever asked for.
    issued: Vec<NewOperation>,
}

/// The same call on both stores; the two answers must be equal.
macro_rules! same {
    ($replay:expr, |$store:ident| $call:expr) => {{
        let subject = {
            let $store = &*$replay.subject;
            $call.await
        };
        let model = {
            let $store = &*$replay.model;
            $call.await
        };
        equal(stringify!($call), &subject, &model)
    }};
}

fn equal<T: Debug + PartialEq>(what: &str, subject: &T, model: &T) -> Result<(), String> {
    if subject == model { Ok(()) } else { Err(format!("{what}\n  answers {subject:?}\n  not     {model:?}")) }
}

/// When an engine's purge ends is for each store to say: until it is compared, an end is no end.
fn without_end(operation: Operation) -> Operation {
    if operation.kind != OperationKind::DeleteEngine {
        return operation;
    }
    Operation { done: false, update_time: operation.create_time, ..operation }
}

impl Replay {
    fn engine(&self, at: EngineAt) -> EngineName {
        engine_names()[at].clone()
    }

    fn session(&self, (engine, id): SessionAt) -> SessionName {
        fixture::session(&self.engine(engine), id)
    }

    fn operation(&mut self, kind: OperationKind) -> NewOperation {
        let operation = self.drafts.operation(kind, self.now);
        self.issued.push(operation);
        operation
    }

    /// Its answer tells it from all others.
    fn request(&mut self, request: Option<RequestAt>) -> Option<Request> {
        let (id, kind) = request?;
        let key = RequestKey { id: id.to_owned(), fingerprint: [kind; 32] };
        let answer = self.drafts.id().to_be_bytes().to_vec().into();
        Some(Request { key, answer, time: at(self.now), known_since: at(self.now - REQUEST_LIFE) })
    }

    /// Makes the engine and the session that most commands mean.
    async fn begin(&mut self) -> Result<(), String> {
        let engine = EngineAction::Create { engine: 0, content: EngineContent::default(), operation: true };
        self.engine_step(engine).await?;
        let session = SessionDraft {
            session: (0, SESSION_IDS[0]),
            user: "a",
            display_name: "",
            labels: Labels::new(),
            life: 300,
            state: StateDelta::default(),
            limit: 100,
            request: None,
        };
        self.session_step(SessionAction::Create(session)).await
    }

    async fn step(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Engine(action) => self.engine_step(action).await,
            Action::Session(action) => self.session_step(action).await,
            Action::Event(action) => self.event_step(action).await,
            Action::Operation(action) => self.operation_step(action).await,
            Action::Upkeep(action) => self.upkeep_step(action).await,
        }
    }

    async fn engine_step(&mut self, action: EngineAction) -> Result<(), String> {
        let now = self.now;
        match action {
            EngineAction::Create { engine, content, operation } => {
                let operation = operation.then(|| self.operation(OperationKind::CreateEngine));
                let new = NewEngine { name: self.engine(engine), content, create_time: at(now), operation };
                same!(self, |store| store.create_engine(new.clone()))
            }
            EngineAction::Get(engine) => {
                let name = self.engine(engine);
                same!(self, |store| store.get_engine(&name))
            }
            EngineAction::List { of, filter, limit } => {
                let query = EngineQuery { filter, limit, ..engines_in(&self.engine(of).location) };
                same!(self, |store| walk(store, query.clone()))
            }
            EngineAction::Update { engine, content, stale } => {
                let name = self.engine(engine);
                let current = self.model.get_engine(&name).await.map_err(|error| error.to_string())?;
                let (revision, create_time) =
                    current.map_or((1, at(now)), |engine| (engine.revision, engine.create_time));
                let revision = revision + stale;
                let operation = self.operation(OperationKind::UpdateEngine);
                let update =
                    EngineUpdate { name, revision, create_time, content, update_time: at(now), operation };
                same!(self, |store| store.update_engine(update.clone()))
            }
            EngineAction::Delete { engine, force } => {
                let deletion = self.drafts.engine_deletion(&self.engine(engine), force, now);
                self.issued.push(deletion.operation);
                same!(self, |store| async { store.delete_engine(deletion.clone()).await.map(without_end) })
            }
        }
    }

    async fn session_step(&mut self, action: SessionAction) -> Result<(), String> {
        let now = self.now;
        match action {
            SessionAction::Create(draft) => {
                let new = NewSession {
                    name: self.session(draft.session),
                    user_id: draft.user.to_owned(),
                    display_name: draft.display_name.to_owned(),
                    labels: draft.labels,
                    create_time: at(now),
                    expire_time: at(now + draft.life),
                    state: draft.state,
                    state_limit: draft.limit,
                    operation: self.operation(OperationKind::CreateSession),
                    request: self.request(draft.request),
                };
                same!(self, |store| store.create_session(new.clone()))
            }
            SessionAction::Get(session) => {
                let name = self.session(session);
                same!(self, |store| store.get_session(&name, at(now)))
            }
            SessionAction::List { engine, filter, order, limit } => {
                let query = SessionQuery { filter, order, limit, ..sessions_in(&self.engine(engine), now) };
                same!(self, |store| walk(store, query.clone()))
            }
            SessionAction::Update { session, display_name, labels, life } => {
                let update = SessionUpdate {
                    name: self.session(session),
                    display_name: display_name.map(str::to_owned),
                    labels,
                    expire_time: life.map(|life| at(now + life)),
                    user_id: None,
                    now: at(now),
                };
                same!(self, |store| store.update_session(update.clone()))
            }
            SessionAction::Delete { session, request } => {
                let name = self.session(session);
                let operation = self.operation(OperationKind::DeleteSession);
                let request = self.request(request);
                let deletion = SessionDeletion { name, now: at(now), operation, request };
                same!(self, |store| store.delete_session(deletion.clone()))
            }
        }
    }

    async fn event_step(&mut self, action: EventAction) -> Result<(), String> {
        let now = self.now;
        match action {
            EventAction::Append(draft) => {
                let name = self.session(draft.session);
                let event = |id| NewEvent {
                    id,
                    timestamp: at(now + draft.timestamp),
                    author: draft.author.to_owned(),
                    invocation_id: draft.invocation.to_owned(),
                    delta: draft.delta.clone(),
                    payload: draft.payload.clone().into(),
                    update_time: at(now + draft.lead),
                };
                let append = Append {
                    session: name.clone(),
                    events: (0..draft.count).map(|_| event(self.drafts.id())).collect(),
                    state_limit: draft.limit,
                    now: at(now),
                    request: self.request(draft.request),
                };
                same!(self, |store| store.append_events(append.clone()))?;
                same!(self, |store| store.get_session(&name, at(now)))
            }
            EventAction::List { session, filter, descending, limit } => {
                let query =
                    EventQuery { filter, descending, limit, ..events_in(&self.session(session), now) };
                same!(self, |store| walk(store, query.clone()))
            }
        }
    }

    async fn operation_step(&mut self, action: OperationAction) -> Result<(), String> {
        let now = self.now;
        match action {
            OperationAction::Get { of, which } => {
                let location = self.engine(of).location;
                let id = which.get(&self.issued).id;
                self.compare_operation(&location, id).await
            }
            OperationAction::Delete { of, which } => {
                let location = self.engine(of).location;
                let id = which.get(&self.issued).id;
                same!(self, |store| store.delete_operation(&location, id))
            }
            OperationAction::List { parent, filter, limit } => {
                let parent: OperationParent = match parent {
                    Parent::Location(engine) => self.engine(engine).location.into(),
                    Parent::Engine(engine) => self.engine(engine).into(),
                    Parent::Session(session) => self.session(session).into(),
                };
                self.compare_operations(&parent).await?;
                // The ends of engine purges differ: a filter is held against the store's own list.
                let whole = operations_in(parent, now);
                let all = walk(&*self.subject, whole.clone()).await;
                let expected = all.map(|mut all| {
                    all.retain(|operation| {
                        filter.as_ref().is_none_or(|filter| filter.matches(&Seen(operation)))
                    });
                    all
                });
                let query = OperationQuery { filter, limit, ..whole };
                let found = walk(&*self.subject, query.clone()).await;
                equal(&format!("{query:?}"), &found, &expected)
            }
        }
    }

    async fn upkeep_step(&mut self, action: UpkeepAction) -> Result<(), String> {
        let now = at(self.now);
        match action {
            UpkeepAction::Expire { limit } => {
                for store in [&self.subject, &self.model] {
                    to_the_end(async || store.expire_sessions(now, limit).await).await?;
                }
            }
            // How far one step comes is for each store to say; nothing that is seen depends on it.
            UpkeepAction::Purge { limit } => {
                for store in [&self.subject, &self.model] {
                    store.purge(now, limit).await.map_err(|error| error.to_string())?;
                }
            }
            UpkeepAction::ForgetRequests { age } => {
                for store in [&self.subject, &self.model] {
                    to_the_end(async || store.sweep_requests(at(self.now - age), 2).await).await?;
                }
            }
            UpkeepAction::Sweep { age, limit } => {
                // Engine purges may have ended at different times: their operations go first.
                let deletions =
                    self.issued.iter().filter(|issued| issued.kind == OperationKind::DeleteEngine);
                for operation in deletions {
                    for name in engine_names() {
                        same!(self, |store| store.delete_operation(&name.location, operation.id))?;
                    }
                }
                let before = Timestamp(now.0 - age);
                for store in [&self.subject, &self.model] {
                    to_the_end(async || store.sweep_operations(before, limit).await).await?;
                }
            }
        }
        Ok(())
    }

    async fn purge_all(&self) -> Result<(), String> {
        for store in [&self.subject, &self.model] {
            to_the_end(async || store.purge(at(self.now), 10).await).await?;
        }
        // With nothing left to purge, every deletion has ended.
        for operation in self.issued.iter().filter(|issued| issued.kind == OperationKind::DeleteEngine) {
            for name in engine_names() {
                let done = async |store: &dyn Store| {
                    let found = store.get_operation(&name.location, operation.id, at(self.now)).await;
                    found.map(|found| found.is_none_or(|operation| operation.done))
                };
                equal("whether a deletion has ended", &done(&*self.subject).await, &Ok(true))?;
            }
        }
        Ok(())
    }

    async fn compare_operation(&self, location: &LocationName, id: u64) -> Result<(), String> {
        let now = at(self.now);
        same!(self, |store| async {
            store.get_operation(location, id, now).await.map(|found| found.map(without_end))
        })
    }

    async fn compare_operations(&self, parent: &OperationParent) -> Result<(), String> {
        same!(self, |store| async {
            let found = walk(store, operations_in(parent.clone(), self.now)).await?;
            StoreResult::Ok(found.into_iter().map(without_end).collect::<Vec<_>>())
        })
    }

    /// Everything that can be seen.
    async fn compare_all(&self) -> Result<(), String> {
        let now = self.now;
        for engine in engine_names() {
            same!(self, |store| walk(store, engines_in(&engine.location)))?;
            self.compare_operations(&engine.location.clone().into()).await?;
            same!(self, |store| store.get_engine(&engine))?;
            self.compare_operations(&engine.clone().into()).await?;
            same!(self, |store| walk(store, sessions_in(&engine, now)))?;
            for id in SESSION_IDS {
                let name = fixture::session(&engine, id);
                same!(self, |store| store.get_session(&name, at(now)))?;
                for descending in [false, true] {
                    same!(self, |store| walk(store, EventQuery { descending, ..events_in(&name, now) }))?;
                }
                self.compare_operations(&name.into()).await?;
            }
            for operation in &self.issued {
                self.compare_operation(&engine.location, operation.id).await?;
            }
        }
        Ok(())
    }
}

/// Repeats a bounded step until there is no more to do.
async fn to_the_end(step: impl AsyncFn() -> StoreResult<Progress>) -> Result<(), String> {
    for _ in 0..10_000 {
        if !step().await.map_err(|error| error.to_string())?.more {
            return Ok(());
        }
    }
    Err("there is always more to do".to_owned())
}
