//! A predicate against one row.

use crate::check::{Comparator, Predicate, Value};

/// The values of a row. A method that no field of the schema needs may stay as it is.
pub trait Lookup<Id> {
    /// A text.
    fn string(&self, field: Id) -> &str {
        let _ = field;
        ""
    }
    /// An instant, in microseconds since the Unix epoch.
    fn timestamp(&self, field: Id) -> i64 {
        let _ = field;
        0
    }
    /// A truth value.
    fn bool(&self, field: Id) -> bool {
        let _ = field;
        false
    }
    /// A whole number.
    fn integer(&self, field: Id) -> i64 {
        let _ = field;
        0
    }
    /// The text of a key, if the key is there.
    fn map_value(&self, field: Id, key: &str) -> Option<&str> {
        let _ = (field, key);
        None
    }
}

impl<Id: Copy> Predicate<Id> {
    /// Whether `row` is let through.
    pub fn matches(&self, row: &impl Lookup<Id>) -> bool {
        match self {
            Self::And(items) => items.iter().all(|item| item.matches(row)),
            Self::Or(items) => items.iter().any(|item| item.matches(row)),
            Self::Not(inner) => !inner.matches(row),
            Self::Compare { field, comparator, value } => match value {
                Value::String(value) => comparator.holds_for_text(row.string(*field), value),
                Value::Timestamp(value) => comparator.holds(&row.timestamp(*field), value),
                Value::Bool(value) => comparator.holds(&row.bool(*field), value),
                Value::Integer(value) => comparator.holds(&row.integer(*field), value),
            },
            Self::MapCompare { field, key, comparator, value } => {
                row.map_value(*field, key).is_some_and(|found| comparator.holds_for_text(found, value))
            }
            Self::MapHas { field, key } => row.map_value(*field, key).is_some(),
        }
    }
}

impl Comparator {
    fn holds<T: Ord + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Contains => false,
        }
    }

    fn holds_for_text(self, left: &str, right: &str) -> bool {
        match self {
            Self::Contains => left.contains(right),
            other => other.holds(left, right),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Field, FieldType, Schema, parse_filter};

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Id {
        User,
        Created,
        Done,
        Count,
        Labels,
    }

    const SCHEMA: Schema<Id> = Schema {
        fields: &[
            Field { id: Id::User, names: &["user_id", "userId"], ty: FieldType::String },
            Field { id: Id::Created, names: &["create_time"], ty: FieldType::Timestamp },
            Field { id: Id::Done, names: &["done"], ty: FieldType::Bool },
            Field { id: Id::Count, names: &["count"], ty: FieldType::Integer },
            Field { id: Id::Labels, names: &["labels"], ty: FieldType::StringMap },
        ],
    };

    struct Row(BTreeMap<&'static str, &'static str>);

    impl Lookup<Id> for Row {
        fn string(&self, _: Id) -> &str {
            "al*ce"
        }
        fn timestamp(&self, _: Id) -> i64 {
            1_767_225_600_000_000 // 2026-01-01T00:00:00Z
        }
        fn bool(&self, _: Id) -> bool {
            true
        }
        fn integer(&self, _: Id) -> i64 {
            7
        }
        fn map_value(&self, _: Id, key: &str) -> Option<&str> {
            self.0.get(key).copied()
        }
    }

    fn matches(text: &str) -> bool {
        let row = Row(BTreeMap::from([("env", "prod"), ("my-key", "x")]));
        parse_filter(&SCHEMA, text).unwrap().unwrap().matches(&row)
    }

    fn problem(text: &str) -> String {
        parse_filter(&SCHEMA, text).unwrap_err().message
    }

    #[test]
    fn every_type_compares() {
        for text in [
            "user_id=\"al*ce\"",
            "userId=al*ce",
            "user_id:l*c",
            "user_id:*",
            "user_id!=alice",
            "user_id>\"a\" user_id<\"b\"",
            "create_time=\"2026-01-01T01:00:00+01:00\"",
            "create_time>=2026-01-01T00:00:00Z",
            "create_time<2026-01-01T00:00:00.000001Z",
            "done=true AND NOT done=false",
            "count>=7 count<8 count!=-7",
            "labels.env=prod labels.env:\"prod\" labels:env labels.my-key:* labels.\"my-key\"=x",
            "-labels:none",
            "user_id=bob OR done=true",
        ] {
            assert!(matches(text), "{text}");
        }
        for text in
            ["user_id=\"al*\"", "labels.none!=x", "labels.none:*", "done!=true", "count>7", "labels.env>prod"]
        {
            assert!(!matches(text), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, expected) in [
            (
                "done=true foo=1",
                "Unknown field \"foo\" (there are user_id, create_time, done, count, labels) at character 11.",
            ),
            ("alice", "\"alice\" stands alone; name a field, as in user_id = \"...\", at character 1."),
            (
                "create_time>yesterday",
                "\"yesterday\" is not a time as in \"2026-01-31T12:00:00Z\" at character 13.",
            ),
            ("done=maybe", "\"maybe\" is not true or false at character 6."),
            ("count=1.5", "\"1.5\" is not a whole number at character 7."),
            ("done>true", "\">\" cannot be used with the field done at character 5."),
            (
                "create_time:2026-01-01T00:00:00Z",
                "\":\" cannot be used with the field create_time at character 12.",
            ),
            ("labels=x", "\"=\" cannot be used with the field labels at character 7."),
            ("user_id.x=1", "The field user_id has no members at character 9."),
            ("labels.a.b=1", "The path has too many members; quote a key that holds dots at character 1."),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        assert_eq!(parse_filter(&SCHEMA, "  "), Ok(None));
    }
}
