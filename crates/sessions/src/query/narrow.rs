//! What a filter says of the rows that it can let through, for engines that walk an index.
//!
//! A filter is decided row by row, by [`Predicate::matches`]: an engine must not have a meaning of its own. What is
//! read here from a filter only narrows the range that is walked.

use aip_filter::{Comparator, Predicate, Value};

/// A range of instants, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The earliest, in microseconds.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
}

impl Range {
    const ALL: Self = Self { earliest: i64::MIN, latest: i64::MAX };

    /// The instants of `field` that a filter can let through.
    pub fn of<Id: Copy + PartialEq>(filter: Option<&Predicate<Id>>, field: Id) -> Self {
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
pub fn required_text<Id: Copy + PartialEq>(filter: Option<&Predicate<Id>>, field: Id) -> Option<&str> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{SessionField, session_filter};

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
