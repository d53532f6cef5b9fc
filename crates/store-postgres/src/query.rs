//! From a query to the range of an index.
//!
//! A filter is decided row by row, by [`Predicate::matches`]: an engine must not have a meaning of its own. What is
//! read here from a filter only narrows the range that is walked.

use aip_filter::{Comparator, OrderTerm, Predicate, Value};
use colloquy_sessions::query::SessionOrder;

/// A range of instants, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The earliest, in microseconds.
    pub(crate) earliest: i64,
    /// The latest.
    pub(crate) latest: i64,
}

impl Range {
    const ALL: Self = Self { earliest: i64::MIN, latest: i64::MAX };

    /// The instants of `field` that a filter can let through.
    pub(crate) fn of<Id: Copy + PartialEq>(filter: Option<&Predicate<Id>>, field: Id) -> Self {
        let mut range = Self::ALL;
        for condition in conditions(filter) {
            let Predicate::Compare { field: compared, comparator, value: Value::Timestamp(value) } =
                condition
            else {
                continue;
            };
            if *compared != field {
                continue;
            }
            let (earliest, latest) = match comparator {
                Comparator::Equal => (*value, *value),
                Comparator::Greater => (value.saturating_add(1), i64::MAX),
                Comparator::GreaterOrEqual => (*value, i64::MAX),
                Comparator::Less => (i64::MIN, value.saturating_sub(1)),
                Comparator::LessOrEqual => (i64::MIN, *value),
                Comparator::NotEqual | Comparator::Contains => continue,
            };
            range.earliest = range.earliest.max(earliest);
            range.latest = range.latest.min(latest);
        }
        range
    }
}

/// The text that `field` must have for a filter to let a row through.
pub(crate) fn required_text<Id: Copy + PartialEq>(filter: Option<&Predicate<Id>>, field: Id) -> Option<&str> {
    conditions(filter).into_iter().find_map(|condition| match condition {
        Predicate::Compare { field: compared, comparator: Comparator::Equal, value: Value::String(text) }
            if *compared == field =>
        {
            Some(text.as_str())
        }
        _ => None,
    })
}

/// What must hold in any case: the filter, or its parts where it is a conjunction.
fn conditions<Id>(filter: Option<&Predicate<Id>>) -> Vec<&Predicate<Id>> {
    let mut open: Vec<_> = filter.into_iter().collect();
    let mut conditions = Vec::new();
    while let Some(predicate) = open.pop() {
        match predicate {
            Predicate::And(parts) => open.extend(parts),
            other => conditions.push(other),
        }
    }
    conditions
}

/// Whose sessions are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// All of an engine.
    Engine,
    /// Those of one user.
    User,
}

/// The statement that walks sessions of `owner` in an order, from a place on. Its range is on the first term. Its
/// parameters: those of the file, then the limit, the id and the value of each term of the place.
pub(crate) fn list_sessions(owner: Owner, order: &[OrderTerm<SessionOrder>]) -> String {
    let first = order.first().map(|term| term.field);
    let (base, id) = match (owner, first) {
        (Owner::Engine, Some(SessionOrder::CreateTime)) => {
            (sql!("sessions/list_created_of_engine"), "s.session_id")
        }
        (Owner::User, Some(SessionOrder::CreateTime)) => {
            (sql!("sessions/list_created_of_user"), "s.session_id")
        }
        (Owner::Engine, _) => (sql!("sessions/list_updated_of_engine"), "c.session_id"),
        (Owner::User, _) => (sql!("sessions/list_updated_of_user"), "c.session_id"),
    };
    let limit = match owner {
        Owner::Engine => 5,
        Owner::User => 6,
    };
    // Each a column, its parameter, and its direction; the id goes the way of the last term.
    let mut terms: Vec<(&str, usize, bool)> = order
        .iter()
        .zip(limit + 2..)
        .map(|(term, parameter)| {
            let column = match term.field {
                SessionOrder::CreateTime => "s.create_time",
                SessionOrder::UpdateTime => "c.update_time",
            };
            (column, parameter, term.descending)
        })
        .collect();
    terms.push((id, limit + 1, order.last().is_some_and(|term| term.descending)));
    let directed: Vec<_> = terms
        .iter()
        .map(|(column, _, descending)| format!("{column} {}", if *descending { "DESC" } else { "ASC" }))
        .collect();
    format!("{base}  AND {}\nORDER BY {}\nLIMIT ${limit}", beyond(&terms), directed.join(", "))
}

/// The condition that a row comes after the place in the parameters. Where all terms go one way it is one comparison
/// of rows, which an index can begin at.
fn beyond(terms: &[(&str, usize, bool)]) -> String {
    let sign = |descending| if descending { "<" } else { ">" };
    match terms {
        [(column, parameter, descending), rest @ ..]
            if rest.iter().any(|(_, _, other)| other != descending) =>
        {
            let sign = sign(*descending);
            format!("({column} {sign} ${parameter} OR ({column} = ${parameter} AND {}))", beyond(rest))
        }
        _ => {
            let columns: Vec<_> = terms.iter().map(|(column, ..)| *column).collect();
            let parameters: Vec<_> = terms.iter().map(|(_, parameter, _)| format!("${parameter}")).collect();
            let sign = sign(terms.first().is_some_and(|(_, _, descending)| *descending));
            format!("({}) {sign} ({})", columns.join(", "), parameters.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use colloquy_sessions::query::{SessionField, session_filter};

    use super::*;

    fn range(text: &str) -> (i64, i64) {
        let filter = session_filter(text).unwrap();
        let range = Range::of(filter.as_ref(), SessionField::CreateTime);
        (range.earliest, range.latest)
    }

    #[test]
    fn only_what_must_hold_narrows_the_range() {
        assert_eq!(range(""), (i64::MIN, i64::MAX));
        assert_eq!(range("create_time>\"1970-01-01T00:00:01Z\""), (1_000_001, i64::MAX));
        assert_eq!(
            range("create_time>=\"1970-01-01T00:00:01Z\" (create_time<\"1970-01-01T00:00:02Z\" user_id=x)"),
            (1_000_000, 1_999_999)
        );
        assert_eq!(range("create_time=\"1970-01-01T00:00:01Z\""), (1_000_000, 1_000_000));
        assert_eq!(range("create_time=\"1970-01-01T00:00:01Z\" OR user_id=x"), (i64::MIN, i64::MAX));
        assert_eq!(range("NOT create_time=\"1970-01-01T00:00:01Z\""), (i64::MIN, i64::MAX));
        assert_eq!(range("update_time=\"1970-01-01T00:00:01Z\""), (i64::MIN, i64::MAX));
    }

    #[test]
    fn a_user_must_be_required_to_drive_a_walk() {
        let user = |text: &str| {
            let filter = session_filter(text).unwrap();
            required_text(filter.as_ref(), SessionField::UserId).map(str::to_owned)
        };
        assert_eq!(user("user_id=alice"), Some("alice".to_owned()));
        assert_eq!(user("labels.a=b AND userId=\"al*\""), Some("al*".to_owned()));
        for text in ["", "user_id!=alice", "NOT user_id=alice", "user_id=a OR user_id=b", "display_name=x"] {
            assert_eq!(user(text), None, "{text}");
        }
    }
}
