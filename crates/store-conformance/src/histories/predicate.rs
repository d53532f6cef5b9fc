//! Random filters.

use aip_filter::{Comparator, Predicate, Value};
use colloquy_sessions::query::{EngineField, EventField, OperationField, SessionField};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use super::command::{LABEL_KEYS, LABEL_VALUES, TEXTS};
use crate::fixture::at;

const ORDERED: [Comparator; 6] = [
    Comparator::Equal,
    Comparator::NotEqual,
    Comparator::Less,
    Comparator::LessOrEqual,
    Comparator::Greater,
    Comparator::GreaterOrEqual,
];

fn text<Id: Copy + std::fmt::Debug + 'static>(field: Id) -> BoxedStrategy<Predicate<Id>> {
    let comparators = ORDERED.into_iter().chain([Comparator::Contains]).collect::<Vec<_>>();
    let compare = move |(comparator, text): (Comparator, &str)| Predicate::Compare {
        field,
        comparator,
        value: Value::String(text.to_owned()),
    };
    (select(comparators), select(&TEXTS[..])).prop_map(compare).boxed()
}

fn time<Id: Copy + std::fmt::Debug + 'static>(field: Id) -> BoxedStrategy<Predicate<Id>> {
    let compare = move |(comparator, time): (Comparator, i64)| Predicate::Compare {
        field,
        comparator,
        value: Value::Timestamp(at(time).0),
    };
    (select(&ORDERED[..]), -3..80_i64).prop_map(compare).boxed()
}

fn truth<Id: Copy + std::fmt::Debug + 'static>(field: Id) -> BoxedStrategy<Predicate<Id>> {
    let compare = move |(comparator, truth): (Comparator, bool)| Predicate::Compare {
        field,
        comparator,
        value: Value::Bool(truth),
    };
    (select(&ORDERED[..2]), any::<bool>()).prop_map(compare).boxed()
}

fn map<Id: Copy + std::fmt::Debug + 'static>(field: Id) -> BoxedStrategy<Predicate<Id>> {
    let has = select(&LABEL_KEYS[..]).prop_map(move |key| Predicate::MapHas { field, key: key.to_owned() });
    let compare = (select(&LABEL_KEYS[..]), select(&ORDERED[..]), select(&LABEL_VALUES[..]));
    let compare = compare.prop_map(move |(key, comparator, value)| Predicate::MapCompare {
        field,
        key: key.to_owned(),
        comparator,
        value: value.to_owned(),
    });
    prop_oneof![has, compare].boxed()
}

/// One of the simple filters, or a tree of them; no filter in half of the cases.
fn tree<Id: Clone + std::fmt::Debug + 'static>(
    simple: Vec<BoxedStrategy<Predicate<Id>>>,
) -> impl Strategy<Value = Option<Predicate<Id>>> {
    let tree = Union::new(simple).prop_recursive(3, 8, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            some().prop_map(Predicate::And),
            some().prop_map(Predicate::Or),
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    });
    proptest::option::of(tree)
}

pub(super) fn of_engines() -> impl Strategy<Value = Option<Predicate<EngineField>>> {
    tree(vec![
        text(EngineField::DisplayName),
        text(EngineField::Description),
        map(EngineField::Labels),
        time(EngineField::CreateTime),
        time(EngineField::UpdateTime),
    ])
}

pub(super) fn of_sessions() -> impl Strategy<Value = Option<Predicate<SessionField>>> {
    tree(vec![
        text(SessionField::DisplayName),
        text(SessionField::UserId),
        map(SessionField::Labels),
        time(SessionField::CreateTime),
        time(SessionField::UpdateTime),
        time(SessionField::ExpireTime),
    ])
}

pub(super) fn of_events() -> impl Strategy<Value = Option<Predicate<EventField>>> {
    tree(vec![time(EventField::Timestamp), text(EventField::Author), text(EventField::InvocationId)])
}

pub(super) fn of_operations() -> impl Strategy<Value = Option<Predicate<OperationField>>> {
    tree(vec![
        truth(OperationField::Done),
        time(OperationField::CreateTime),
        time(OperationField::UpdateTime),
    ])
}
