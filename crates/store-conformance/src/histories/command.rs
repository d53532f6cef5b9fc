//! Random commands: few names and few values, so that they meet.

use aip_filter::{OrderTerm, Predicate};
use colloquy_sessions::engine::EngineContent;
use colloquy_sessions::labels::Labels;
use colloquy_sessions::query::{EngineField, EventField, OperationField, SessionField, SessionOrder};
use colloquy_sessions::state::StateDelta;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::predicate;

/// User ids, authors and texts for people.
pub(super) const TEXTS: [&str; 9] = ["", "a", "A", "ab", "a%b", "_", "*", "ä", "a\0b"];
pub(super) const LABEL_KEYS: [&str; 4] = ["env", "k_1", "größe", "none"];
pub(super) const LABEL_VALUES: [&str; 4] = ["", "prod", "a", "値"];
const STATE_KEYS: [&str; 11] =
    ["", "a", "b", "app:", "app:x", "user:", "user:x", "user:y", "user:app:x", "temp:t", "a\0b"];

/// How many engines are named, see [`super::replay::engine_names`].
pub(super) const ENGINES: usize = 3;
/// The ids of sessions; tied times are told apart by them.
pub(super) const SESSION_IDS: [&str; 4] = ["a", "a-", "b", "1"];

/// An engine, by its number.
pub(super) type EngineAt = usize;
/// A session: its engine's number, and its id.
pub(super) type SessionAt = (usize, &'static str);

/// What an operation list may be asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parent {
    Location(EngineAt),
    Engine(EngineAt),
    Session(SessionAt),
}

/// One step of a history. Ids are given when it is replayed; times are told by the history's clock.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Engine(EngineAction),
    Session(SessionAction),
    Event(EventAction),
    Operation(OperationAction),
    Upkeep(UpkeepAction),
}

#[derive(Clone, Debug)]
pub(super) enum EngineAction {
    Create {
        engine: EngineAt,
        content: EngineContent,
        operation: bool,
    },
    Get(EngineAt),
    List {
        of: EngineAt,
        filter: Option<Predicate<EngineField>>,
        limit: usize,
    },
    /// `stale` is added to the engine's revision.
    Update {
        engine: EngineAt,
        content: EngineContent,
        stale: i64,
    },
    Delete {
        engine: EngineAt,
        force: bool,
    },
}

#[derive(Clone, Debug)]
pub(super) enum SessionAction {
    Create(SessionDraft),
    Get(SessionAt),
    List {
        engine: EngineAt,
        filter: Option<Predicate<SessionField>>,
        order: Vec<OrderTerm<SessionOrder>>,
        limit: usize,
    },
    Update {
        session: SessionAt,
        display_name: Option<&'static str>,
        labels: Option<Labels>,
        life: Option<i64>,
    },
    Delete {
        session: SessionAt,
        request: Option<RequestAt>,
    },
}

/// A request by its id, and which of two it is.
pub(super) type RequestAt = (&'static str, u8);

#[derive(Clone, Debug)]
pub(super) struct SessionDraft {
    pub(super) session: SessionAt,
    pub(super) user: &'static str,
    pub(super) display_name: &'static str,
    pub(super) labels: Labels,
    /// How long it lives.
    pub(super) life: i64,
    pub(super) state: StateDelta,
    pub(super) limit: usize,
    pub(super) request: Option<RequestAt>,
}

#[derive(Clone, Debug)]
pub(super) enum EventAction {
    Append(EventDraft),
    List { session: SessionAt, filter: Option<Predicate<EventField>>, descending: bool, limit: usize },
}

#[derive(Clone, Debug)]
pub(super) struct EventDraft {
    pub(super) session: SessionAt,
    /// Counted from now.
    pub(super) timestamp: i64,
    pub(super) author: &'static str,
    pub(super) invocation: &'static str,
    pub(super) delta: StateDelta,
    pub(super) limit: usize,
    pub(super) payload: Vec<u8>,
    /// The update time that is asked for, counted from now.
    pub(super) lead: i64,
    /// How many of these are appended at once.
    pub(super) count: usize,
    pub(super) request: Option<RequestAt>,
}

#[derive(Clone, Debug)]
pub(super) enum OperationAction {
    /// One of the operations so far.
    Get {
        of: EngineAt,
        which: Index,
    },
    List {
        parent: Parent,
        filter: Option<Predicate<OperationField>>,
        limit: usize,
    },
    Delete {
        of: EngineAt,
        which: Index,
    },
}

#[derive(Clone, Debug)]
pub(super) enum UpkeepAction {
    Expire { limit: usize },
    Purge { limit: usize },
    Sweep { age: i64, limit: usize },
    ForgetRequests { age: i64 },
}

/// A step, and how far the clock goes before it; backwards too, as real clocks do.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) clock: i64,
    pub(super) action: Action,
}

pub(super) fn any() -> impl Strategy<Value = Command> {
    let clock = prop_oneof![10 => Just(0_i64), 10 => 1..4_i64, 1 => 4..40_i64, 1 => -8..0_i64];
    (clock, action()).prop_map(|(clock, action)| Command { clock, action })
}

/// The first engine is meant in most cases, so that histories go deep rather than wide.
fn engine() -> impl Strategy<Value = EngineAt> {
    prop_oneof![8 => Just(0), 1 => 0..ENGINES]
}

/// The same of sessions.
fn session() -> impl Strategy<Value = SessionAt> {
    (engine(), prop_oneof![3 => Just(SESSION_IDS[0]), 2 => select(&SESSION_IDS[..])])
}

/// How long a session lives from now: mostly to the end of the history.
fn life() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 60..400_i64, 1 => 1..60_i64]
}

/// Mostly none; else one of few, so that retries and other requests under the same id are met.
fn request() -> impl Strategy<Value = Option<RequestAt>> {
    prop_oneof![3 => Just(None), 1 => (select(&["r", "q"][..]), 0..2_u8).prop_map(Some)]
}

fn text() -> impl Strategy<Value = &'static str> {
    select(&TEXTS[..])
}

fn user() -> impl Strategy<Value = &'static str> {
    select(&["a", "A", "a\0b"][..])
}

fn labels() -> impl Strategy<Value = Labels> {
    let key = select(&LABEL_KEYS[..3]).prop_map(str::to_owned);
    btree_map(key, select(&LABEL_VALUES[..]).prop_map(str::to_owned), 0..3)
}

fn content() -> impl Strategy<Value = EngineContent> {
    (text(), text(), labels(), vec(byte(), 0..4)).prop_map(|(name, description, labels, settings)| {
        EngineContent {
            display_name: name.to_owned(),
            description: description.to_owned(),
            labels,
            settings: settings.into(),
        }
    })
}

fn byte() -> impl Strategy<Value = u8> {
    proptest::num::u8::ANY
}

fn delta() -> impl Strategy<Value = StateDelta> {
    let value = vec(byte(), 0..6).prop_map(bytes::Bytes::from);
    vec((select(&STATE_KEYS[..]), value), 0..4).prop_map(StateDelta::new)
}

/// Mostly roomy; now and then so tight that deltas meet it.
fn state_limit() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(1 << 20), 1 => 0..60_usize]
}

fn order() -> impl Strategy<Value = Vec<OrderTerm<SessionOrder>>> {
    (proptest::bool::ANY, proptest::bool::ANY, proptest::bool::ANY, proptest::bool::ANY).prop_map(
        |(swap, first, second, both)| {
            let fields = [SessionOrder::CreateTime, SessionOrder::UpdateTime];
            let [a, b] = if swap { [fields[1], fields[0]] } else { fields };
            let mut order = vec![OrderTerm { field: a, descending: first }];
            if both {
                order.push(OrderTerm { field: b, descending: second });
            }
            order
        },
    )
}

fn page() -> impl Strategy<Value = usize> {
    prop_oneof![1..4_usize, Just(100)]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => engine_action().prop_map(Action::Engine),
        10 => session_action().prop_map(Action::Session),
        16 => event_action().prop_map(Action::Event),
        4 => operation_action().prop_map(Action::Operation),
        3 => upkeep_action().prop_map(Action::Upkeep),
    ]
}

fn engine_action() -> impl Strategy<Value = EngineAction> {
    let stale = prop_oneof![4 => Just(0), 1 => -1..2_i64];
    prop_oneof![
        4 => (engine(), content(), proptest::bool::ANY)
            .prop_map(|(engine, content, operation)| EngineAction::Create { engine, content, operation }),
        4 => (engine(), content(), stale)
            .prop_map(|(engine, content, stale)| EngineAction::Update { engine, content, stale }),
        2 => (engine(), proptest::bool::ANY).prop_map(|(engine, force)| EngineAction::Delete { engine, force }),
        1 => engine().prop_map(EngineAction::Get),
        2 => (engine(), predicate::of_engines(), page())
            .prop_map(|(of, filter, limit)| EngineAction::List { of, filter, limit }),
    ]
}

fn session_action() -> impl Strategy<Value = SessionAction> {
    let create = (session(), user(), text(), labels(), life(), delta(), state_limit(), request());
    let create = create.prop_map(|(session, user, display_name, labels, life, state, limit, request)| {
        SessionAction::Create(SessionDraft {
            session,
            user,
            display_name,
            labels,
            life,
            state,
            limit,
            request,
        })
    });
    let update = (session(), option::of(text()), option::of(labels()), option::of(life()));
    let update = update.prop_map(|(session, display_name, labels, life)| SessionAction::Update {
        session,
        display_name,
        labels,
        life,
    });
    let list = (engine(), predicate::of_sessions(), order(), page());
    let list =
        list.prop_map(|(engine, filter, order, limit)| SessionAction::List { engine, filter, order, limit });
    prop_oneof![
        6 => create,
        1 => session().prop_map(SessionAction::Get),
        3 => list,
        2 => update,
        1 => (session(), request()).prop_map(|(session, request)| SessionAction::Delete { session, request }),
    ]
}

fn event_action() -> impl Strategy<Value = EventAction> {
    let of_caller = (-2..4_i64, text(), text(), vec(byte(), 0..6), -3..6_i64);
    let at_once = (prop_oneof![4 => Just(1), 1 => 2..4_usize], request());
    let append = (session(), of_caller, delta(), state_limit(), at_once).prop_map(
        |(session, of_caller, delta, limit, (count, request))| {
            let (timestamp, author, invocation, payload, lead) = of_caller;
            EventAction::Append(EventDraft {
                session,
                timestamp,
                author,
                invocation,
                delta,
                limit,
                payload,
                lead,
                count,
                request,
            })
        },
    );
    let list = (session(), predicate::of_events(), proptest::bool::ANY, page());
    let list = list.prop_map(|(session, filter, descending, limit)| EventAction::List {
        session,
        filter,
        descending,
        limit,
    });
    prop_oneof![3 => append, 1 => list]
}

fn operation_action() -> impl Strategy<Value = OperationAction> {
    let which = || (engine(), proptest::arbitrary::any::<Index>());
    let parent = prop_oneof![
        engine().prop_map(Parent::Location),
        engine().prop_map(Parent::Engine),
        session().prop_map(Parent::Session),
    ];
    prop_oneof![
        which().prop_map(|(of, which)| OperationAction::Get { of, which }),
        (parent, predicate::of_operations(), page())
            .prop_map(|(parent, filter, limit)| OperationAction::List { parent, filter, limit }),
        which().prop_map(|(of, which)| OperationAction::Delete { of, which }),
    ]
}

fn upkeep_action() -> impl Strategy<Value = UpkeepAction> {
    prop_oneof![
        2 => (1..4_usize).prop_map(|limit| UpkeepAction::Expire { limit }),
        3 => (1..8_usize).prop_map(|limit| UpkeepAction::Purge { limit }),
        1 => (0..30_i64, 1..4_usize).prop_map(|(age, limit)| UpkeepAction::Sweep { age, limit }),
        1 => (0..30_i64).prop_map(|age| UpkeepAction::ForgetRequests { age }),
    ]
}
