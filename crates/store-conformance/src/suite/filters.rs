//! Filters: every field with every comparator, held against [`Predicate::matches`].

use aip_filter::{Comparator, Lookup, OrderTerm, Predicate, Value};
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::operation::Operation;
use colloquy_sessions::query::{
    self, EngineField, EventField, OperationField, SessionField, SessionOrder,
};
use colloquy_sessions::session::Session;
use colloquy_sessions::store::{
    EngineQuery, EngineUpdate, EventQuery, NewEngine, NewEvent, NewSession, OperationQuery, SessionQuery,
};

use crate::fixture::{
    DAY, World, at, engine, engines_in, events_in, here, labels, operation_ids, operations_in, sequences, session,
    session_ids, sessions_in,
};
use crate::{Factory, Seen};

const ALL: [Comparator; 7] = [
    Comparator::Equal,
    Comparator::NotEqual,
    Comparator::Less,
    Comparator::LessOrEqual,
    Comparator::Greater,
    Comparator::GreaterOrEqual,
    Comparator::Contains,
];

/// Texts that are stored, and asked for; some would be patterns or syntax in other languages.
const TEXTS: [&str; 14] = [
    "",
    "a",
    "A",
    "ab",
    "a%b",
    "a_b",
    "a*b",
    "[ab]",
    "'; --",
    "\"",
    "ä",
    "\u{FFFD}",
    "\u{1F600}",
    "a\0b",
];

/// Keys that are asked for besides those that are stored.
const KEYS: [&str; 10] = ["env", "k_1", "größe", "", "none", "$", "$.env", "env\"", "a.b", "[0]"];

fn texts<Id: Copy>(field: Id) -> Vec<Predicate<Id>> {
    let values = TEXTS.iter().chain(&["b", "%", "_", "*"]);
    let compare = |(comparator, text): (Comparator, &&str)| {
        Predicate::Compare { field, comparator, value: Value::String((*text).to_owned()) }
    };
    values.flat_map(|text| ALL.map(|comparator| compare((comparator, text)))).collect()
}

fn times<Id: Copy>(field: Id, times: &[i64]) -> Vec<Predicate<Id>> {
    let (ordered, _) = ALL.split_at(6);
    let compare = |comparator: Comparator, time: i64| Predicate::Compare {
        field,
        comparator,
        value: Value::Timestamp(at(time).0),
    };
    times.iter().flat_map(|time| ordered.iter().map(|comparator| compare(*comparator, *time))).collect()
}

fn maps<Id: Copy>(field: Id) -> Vec<Predicate<Id>> {
    let mut predicates = Vec::new();
    for key in KEYS {
        let key = key.to_owned();
        predicates.push(Predicate::MapHas { field, key: key.clone() });
        for comparator in ALL {
            for value in ["", "prod", "Prod", "p", "値", "%"] {
                let value = value.to_owned();
                predicates.push(Predicate::MapCompare { field, key: key.clone(), comparator, value });
            }
        }
    }
    predicates
}

/// The simple predicates, and some of their combinations.
fn combined<Id: Clone>(simple: Vec<Predicate<Id>>) -> Vec<Predicate<Id>> {
    let mut predicates = simple.clone();
    for (n, a) in simple.iter().enumerate().step_by(3) {
        let other = |step: usize| simple[(n * 31 + step * 17) % simple.len()].clone();
        let not = |inner: Predicate<Id>| Predicate::Not(Box::new(inner));
        let a = a.clone();
        predicates.push(match n % 5 {
            0 => Predicate::And(vec![a, other(1)]),
            1 => Predicate::Or(vec![a, other(1), other(2)]),
            2 => not(a),
            3 => Predicate::And(vec![Predicate::Or(vec![a, other(1)]), not(other(2))]),
            _ => not(Predicate::Or(vec![a, Predicate::And(vec![other(1), not(other(2))])])),
        });
    }
    predicates
}

fn matching<'a, Id: Copy, T>(rows: &'a [T], filter: &Predicate<Id>) -> impl Iterator<Item = &'a T>
where
    Seen<'a, T>: Lookup<Id>,
{
    rows.iter().filter(|row| filter.matches(&Seen(*row)))
}

/// Sessions whose fields take all the texts, labels and a few times.
async fn many_sessions(world: &World, name: &resource_names::EngineName) -> Vec<Session> {
    for (n, text) in (0..).zip(TEXTS) {
        let label_sets = [
            labels(&[]),
            labels(&[("env", "prod")]),
            labels(&[("env", "p"), ("k_1", "")]),
            labels(&[("größe", "値"), ("env", "Prod")]),
        ];
        let new = NewSession {
            display_name: text.to_owned(),
            labels: label_sets[n % 4].clone(),
            expire_time: at(DAY + i64::try_from(n % 3).unwrap()),
            ..world.new_session(
                &session(name, &format!("s{n}")),
                TEXTS[(n + 5) % TEXTS.len()],
                i64::try_from(n % 4).unwrap(),
            )
        };
        world.store.create_session(new).await.unwrap();
        if n % 2 == 0 {
            world.append(&session(name, &format!("s{n}")), 5 + i64::try_from(n % 3).unwrap(), &[]).await;
        }
    }
    world.sessions(name, 50).await
}

pub async fn sessions_by_every_field(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    let all = many_sessions(&world, &engine).await;
    let mut simple = texts(SessionField::UserId);
    simple.extend(texts(SessionField::DisplayName));
    simple.extend(maps(SessionField::Labels));
    simple.extend(times(SessionField::CreateTime, &[-1, 0, 2, 4]));
    simple.extend(times(SessionField::UpdateTime, &[0, 1, 5, 6, 9]));
    simple.extend(times(SessionField::ExpireTime, &[0, DAY, DAY + 1, DAY + 3]));
    for filter in combined(simple) {
        let query = SessionQuery { filter: Some(filter.clone()), ..sessions_in(&engine, 50) };
        let found = world.walk(query).await;
        let expected: Vec<_> = matching(&all, &filter).cloned().collect();
        assert_eq!(session_ids(&found), session_ids(&expected), "{filter:?}");
        assert!(found == expected);
    }
}

/// One user's sessions in every order and in small pages, alone and with other conditions.
pub async fn sessions_of_one_user_in_every_order(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for n in 0..30_i64 {
        let name = session(&engine, &format!("s{}", n * 7 % 30));
        let user = ["alice", "Alice", "al*ce"][usize::try_from(n % 3).unwrap()];
        world.create_session(&name, user, n % 4).await;
        world.append(&name, 5 + n % 2, &[]).await;
    }
    let is = |user: &str| Predicate::Compare {
        field: SessionField::UserId,
        comparator: Comparator::Equal,
        value: Value::String(user.to_owned()),
    };
    let later = |time: i64| Predicate::Compare {
        field: SessionField::CreateTime,
        comparator: Comparator::Greater,
        value: Value::Timestamp(at(time).0),
    };
    let filters = [
        is("alice"),
        is("al*ce"),
        is("nobody"),
        Predicate::And(vec![is("Alice"), later(1)]),
        Predicate::And(vec![is("alice"), is("Alice")]),
        Predicate::And(vec![later(0), Predicate::And(vec![is("alice"), later(1)])]),
        Predicate::Or(vec![is("alice"), is("Alice")]),
        Predicate::And(vec![Predicate::Or(vec![is("alice"), later(2)]), is("alice")]),
        Predicate::Not(Box::new(is("alice"))),
    ];
    let term = |field, descending| OrderTerm { field, descending };
    for (created, updated) in [(false, false), (false, true), (true, false), (true, true)] {
        let (created, updated) = (term(SessionOrder::CreateTime, created), term(SessionOrder::UpdateTime, updated));
        for order in [vec![created], vec![updated], vec![created, updated], vec![updated, created]] {
            let whole = SessionQuery { order, ..sessions_in(&engine, 50) };
            let all = world.walk(whole.clone()).await;
            for filter in &filters {
                let expected: Vec<_> = matching(&all, filter).cloned().collect();
                for limit in [1, 4, 10, 100] {
                    let query = SessionQuery { filter: Some(filter.clone()), limit, ..whole.clone() };
                    let found = world.walk(query.clone()).await;
                    assert_eq!(session_ids(&found), session_ids(&expected), "{query:?}");
                }
            }
        }
    }
}

pub async fn filters_do_not_show_what_is_not_live(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for (id, end) in [("expired", 10), ("deleted", 100), ("live", 100)] {
        world.create_short_session(&session(&engine, id), 0, end).await;
    }
    world.delete(&session(&engine, "deleted"), 1).await;
    let other = crate::fixture::engine("7002");
    world.create_engine(&other, 0).await;
    world.create_session(&session(&other, "elsewhere"), "user", 0).await;
    for text in ["user_id=\"user\"", "user_id!=x", "NOT user_id=x", "user_id=user OR create_time>\"2000-01-01T00:00:00Z\""] {
        let filter = query::session_filter(text).unwrap();
        assert!(filter.is_some());
        let query = SessionQuery { filter, ..sessions_in(&engine, 10) };
        assert_eq!(session_ids(&world.walk(query).await), ["live"], "{text}");
    }
}

pub async fn filters_as_callers_write_them(factory: &dyn Factory) {
    let (world, engine) = World::with_engine(factory).await;
    for (id, user, env) in [("a", "alice", "prod"), ("b", "al*ce", "test"), ("c", "ALICE", "")] {
        let labels = if env.is_empty() { labels(&[]) } else { labels(&[("env", env)]) };
        let new = NewSession { labels, display_name: id.to_owned(), ..world.new_session(&session(&engine, id), user, 0) };
        world.store.create_session(new).await.unwrap();
    }
    let cases: [(&str, &[&str]); 11] = [
        ("", &["c", "b", "a"]),
        ("user_id=\"alice\"", &["a"]),
        ("userId = \"al*ce\"", &["b"]),
        ("user_id:\"l\"", &["b", "a"]),
        ("labels.env=\"prod\"", &["a"]),
        ("labels.env!=\"prod\"", &["b"]),
        ("labels:env", &["b", "a"]),
        ("NOT labels:env", &["c"]),
        ("display_name=\"a\" OR display_name=\"c\"", &["c", "a"]),
        ("create_time=\"2026-01-01T00:00:00Z\" AND user_id=\"alice\"", &["a"]),
        ("expire_time<\"2026-06-01T00:00:00Z\"", &[]),
    ];
    for (text, expected) in cases {
        let filter = query::session_filter(text).unwrap();
        let query = SessionQuery { filter, ..sessions_in(&engine, 50) };
        assert_eq!(session_ids(&world.walk(query).await), expected, "{text}");
    }
}

pub async fn events_by_every_field(factory: &dyn Factory) {
    let (world, name) = World::with_session(factory).await;
    let mut all = Vec::new();
    for (n, author) in TEXTS.iter().chain(&TEXTS).enumerate() {
        let event = NewEvent {
            timestamp: at(i64::try_from(n * 5 % 9).unwrap()),
            author: (*author).to_owned(),
            invocation_id: TEXTS[n * 3 % TEXTS.len()].to_owned(),
            ..world.new_event(1)
        };
        world.append_one(&name, 1, event.clone()).await;
        all.push(event);
    }
    let numbered: Vec<_> = (1_u64..).zip(&all).collect();
    let mut simple = times(EventField::Timestamp, &[-1, 0, 3, 4, 8, 9]);
    simple.extend(texts(EventField::Author));
    simple.extend(texts(EventField::InvocationId));
    let mut filters = combined(simple.clone());
    // Ranges, where an index may be cut at both ends.
    let bounds = times(EventField::Timestamp, &[0, 3, 6]);
    for low in &bounds {
        for high in &bounds {
            filters.push(Predicate::And(vec![low.clone(), high.clone()]));
        }
        let author = simple[50].clone();
        filters.push(Predicate::And(vec![author.clone(), low.clone()]));
        filters.push(Predicate::Or(vec![author, low.clone()]));
    }
    for (n, filter) in filters.into_iter().enumerate() {
        let mut expected: Vec<_> =
            numbered.iter().filter(|(_, event)| filter.matches(&Seen(*event))).collect();
        expected.sort_by_key(|(sequence, event)| (event.timestamp, *sequence));
        let mut expected: Vec<_> = expected.into_iter().map(|(sequence, _)| *sequence).collect();
        for descending in [false, true] {
            let limit = [1, 4, 100][n % 3];
            let filter = Some(filter.clone());
            let query = EventQuery { filter, descending, limit, ..events_in(&name, 50) };
            let found = world.walk(query.clone()).await;
            assert_eq!(sequences(&found), expected, "{query:?}");
            expected.reverse();
        }
    }
}

pub async fn engines_by_every_field(factory: &dyn Factory) {
    let world = World::new(factory).await;
    for (n, text) in TEXTS.iter().enumerate() {
        let content = EngineContent {
            display_name: (*text).to_owned(),
            description: TEXTS[(n + 5) % TEXTS.len()].to_owned(),
            labels: [labels(&[]), labels(&[("env", "prod"), ("k_1", "p")]), labels(&[("env", "")])][n % 3].clone(),
            ..EngineContent::default()
        };
        let name = engine(&format!("e{n}"));
        let new = world.new_engine(&name, i64::try_from(n % 4).unwrap());
        world.store.create_engine(NewEngine { content: content.clone(), ..new }).await.unwrap();
        if n % 2 == 0 {
            let update = world.engine_update(&name, 1, 5 + i64::try_from(n % 3).unwrap()).await;
            world.store.update_engine(EngineUpdate { content, ..update }).await.unwrap();
        }
    }
    let all = world.engines().await;
    let mut simple = texts(EngineField::DisplayName);
    simple.extend(texts(EngineField::Description));
    simple.extend(maps(EngineField::Labels));
    simple.extend(times(EngineField::CreateTime, &[-1, 0, 2, 4]));
    simple.extend(times(EngineField::UpdateTime, &[0, 1, 5, 6, 9]));
    for (n, filter) in combined(simple).into_iter().enumerate() {
        let query =
            EngineQuery { filter: Some(filter.clone()), limit: [100, 2][n % 2], ..engines_in(&here()) };
        let found = world.walk(query).await;
        let expected: Vec<Engine> = matching(&all, &filter).cloned().collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub async fn operations_by_every_field(factory: &dyn Factory) {
    let (world, name) = World::with_engine(factory).await;
    for n in 1..12 {
        world.store.update_engine(world.engine_update(&name, n, n * 5 % 7).await).await.unwrap();
        world.create_session(&session(&name, "s"), "user", 0).await;
        world.append(&session(&name, "s"), 0, &[]).await;
        world.delete(&session(&name, "s"), n * 3 % 5).await;
    }
    // One that may still be going on.
    let other = session(&engine("7002"), "s");
    world.create_engine(&other.engine, 0).await;
    world.create_session(&other, "user", 0).await;
    for _ in 0..300 {
        world.append(&other, 1, &[]).await;
    }
    world.delete_engine(&other.engine, 3).await;

    let done = |comparator, value| Predicate::Compare {
        field: OperationField::Done,
        comparator,
        value: Value::Bool(value),
    };
    let mut simple = Vec::new();
    for value in [false, true] {
        simple.extend([done(Comparator::Equal, value), done(Comparator::NotEqual, value)]);
    }
    simple.extend(times(OperationField::CreateTime, &[-1, 0, 3, 4, 9]));
    simple.extend(times(OperationField::UpdateTime, &[-1, 0, 3, 4, 9]));
    let filters = combined(simple);
    for parent in [operations_in(name.clone(), 50), operations_in(here(), 50)] {
        let all: Vec<Operation> = world.walk(parent.clone()).await;
        assert_eq!(all.len(), 12);
        for filter in &filters {
            for limit in [1, 100] {
                let query = OperationQuery { filter: Some(filter.clone()), limit, ..parent.clone() };
                let found = world.walk(query).await;
                let expected: Vec<_> = matching(&all, filter).cloned().collect();
                assert_eq!(operation_ids(&found), operation_ids(&expected), "{filter:?}");
            }
        }
    }
}
