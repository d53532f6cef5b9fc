//! Tree to predicate: fields are looked up, values read as their types.

use std::fmt;

use crate::ast::{ComparatorToken, Expression, Restriction, Text};
use crate::error::excerpt;

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    String,
    /// An instant, written as RFC 3339.
    Timestamp,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Texts by key.
    StringMap,
}

/// A field that a filter may name.
#[derive(Clone, Copy, Debug)]
pub struct Field<Id> {
    /// What it is to the caller.
    pub id: Id,
    /// The spellings that are accepted; the first is shown in errors.
    pub names: &'static [&'static str],
    /// Its type.
    pub ty: FieldType,
}

/// What may be filtered.
#[derive(Clone, Copy, Debug)]
pub struct Schema<Id: 'static> {
    /// The fields.
    pub fields: &'static [Field<Id>],
}

/// A filter that is known to make sense.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate<Id> {
    /// All of them.
    And(Vec<Predicate<Id>>),
    /// At least one of them.
    Or(Vec<Predicate<Id>>),
    /// Not this.
    Not(Box<Predicate<Id>>),
    /// A field of a single value against a value of its type.
    Compare {
        /// The field.
        field: Id,
        /// How.
        comparator: Comparator,
        /// With what.
        value: Value,
    },
    /// The value of a key. A key that is not there matches no comparison, not even `!=` (AIP-160).
    MapCompare {
        /// The field.
        field: Id,
        /// The key.
        key: String,
        /// How.
        comparator: Comparator,
        /// With what.
        value: String,
    },
    /// Whether a key is there.
    MapHas {
        /// The field.
        field: Id,
        /// The key.
        key: String,
    },
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// The same.
    Equal,
    /// Not the same.
    NotEqual,
    /// Less; texts by their bytes.
    Less,
    /// Less, or the same.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater, or the same.
    GreaterOrEqual,
    /// The text is found within the field.
    Contains,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    String(String),
    /// Microseconds since the Unix epoch, rounded down.
    Timestamp(i64),
    /// Truth.
    Bool(bool),
    /// A whole number.
    Integer(i64),
}

/// Turns a tree into a predicate over `schema`.
pub(crate) fn check<Id: Copy>(schema: &Schema<Id>, tree: &Expression) -> Result<Predicate<Id>, Misfit> {
    let all =
        |items: &[Expression]| items.iter().map(|item| check(schema, item)).collect::<Result<Vec<_>, _>>();
    match tree {
        Expression::And(items) => all(items).map(Predicate::And),
        Expression::Or(items) => all(items).map(Predicate::Or),
        Expression::Not(inner, _) => check(schema, inner).map(|inner| Predicate::Not(Box::new(inner))),
        Expression::Restriction(restriction) => check_restriction(schema, restriction),
    }
}

/// What makes no sense, and at which byte; the text itself is not at hand here.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) offset: usize,
    pub(crate) what: String,
}

fn fail(offset: usize, what: impl fmt::Display) -> Misfit {
    Misfit { offset, what: what.to_string() }
}

fn check_restriction<Id: Copy>(
    schema: &Schema<Id>,
    restriction: &Restriction,
) -> Result<Predicate<Id>, Misfit> {
    let start = restriction.span.start;
    let (Some((token, comparator_offset)), Some(argument)) = (restriction.comparator, &restriction.argument)
    else {
        return Err(fail(
            start,
            format!(
                "\"{}\" stands alone; name a field, as in {} = \"...\",",
                excerpt(&restriction.to_string()),
                schema.names().next().unwrap_or_default()
            ),
        ));
    };
    let Some((first, keys)) = restriction.path.split_first() else {
        return Err(fail(start, "A field name is missing"));
    };
    let field = schema.fields.iter().find(|field| field.names.contains(&first.value.as_str()));
    let Some(field) = field else {
        let names: Vec<_> = schema.names().collect();
        return Err(fail(
            first.span.start,
            format!("Unknown field \"{}\" (there are {})", excerpt(&first.value), names.join(", ")),
        ));
    };
    let unsupported = || {
        let name = field.names.first().copied().unwrap_or_default();
        fail(comparator_offset, format!("\"{}\" cannot be used with the field {name}", token.text()))
    };
    if field.ty == FieldType::StringMap {
        return check_map(field, keys, token, argument, start, unsupported);
    }
    if let Some(key) = keys.first() {
        return Err(fail(key.span.start, format!("The field {} has no members", excerpt(&first.value))));
    }
    let present = token == ComparatorToken::Has && !argument.quoted && argument.value == "*";
    let value = match field.ty {
        FieldType::String if present => {
            let value = Value::String(String::new());
            return Ok(Predicate::Compare { field: field.id, comparator: Comparator::NotEqual, value });
        }
        FieldType::String => Value::String(argument.value.clone()),
        FieldType::Timestamp => Value::Timestamp(read_timestamp(argument)?),
        FieldType::Bool => Value::Bool(read(argument, "true or false")?),
        FieldType::Integer => Value::Integer(read(argument, "a whole number")?),
        FieldType::StringMap => return Err(unsupported()),
    };
    let comparator = comparator_of(token);
    let fits = match field.ty {
        FieldType::String => true,
        FieldType::Bool => matches!(comparator, Comparator::Equal | Comparator::NotEqual),
        _ => comparator != Comparator::Contains,
    };
    if fits { Ok(Predicate::Compare { field: field.id, comparator, value }) } else { Err(unsupported()) }
}

fn check_map<Id: Copy>(
    field: &Field<Id>,
    keys: &[Text],
    token: ComparatorToken,
    argument: &Text,
    start: usize,
    unsupported: impl Fn() -> Misfit,
) -> Result<Predicate<Id>, Misfit> {
    let is_has = token == ComparatorToken::Has;
    match keys {
        // labels:key
        [] if is_has => Ok(Predicate::MapHas { field: field.id, key: argument.value.clone() }),
        [] => Err(unsupported()),
        // labels.key:*
        [key] if is_has && !argument.quoted && argument.value == "*" => {
            Ok(Predicate::MapHas { field: field.id, key: key.value.clone() })
        }
        [key] => Ok(Predicate::MapCompare {
            field: field.id,
            key: key.value.clone(),
            // For a single text AIP-160 reads `:` of a member as equality.
            comparator: if is_has { Comparator::Equal } else { comparator_of(token) },
            value: argument.value.clone(),
        }),
        [..] => Err(fail(start, "The path has too many members; quote a key that holds dots")),
    }
}

fn comparator_of(token: ComparatorToken) -> Comparator {
    match token {
        ComparatorToken::Equal => Comparator::Equal,
        ComparatorToken::NotEqual => Comparator::NotEqual,
        ComparatorToken::Less => Comparator::Less,
        ComparatorToken::LessOrEqual => Comparator::LessOrEqual,
        ComparatorToken::Greater => Comparator::Greater,
        ComparatorToken::GreaterOrEqual => Comparator::GreaterOrEqual,
        ComparatorToken::Has => Comparator::Contains,
    }
}

fn read<T: std::str::FromStr>(argument: &Text, wanted: &str) -> Result<T, Misfit> {
    let refused = || fail(argument.span.start, format!("\"{}\" is not {wanted}", excerpt(&argument.value)));
    argument.value.parse().map_err(|_| refused())
}

fn read_timestamp(argument: &Text) -> Result<i64, Misfit> {
    let instant: jiff::Timestamp = read(argument, "a time as in \"2026-01-31T12:00:00Z\"")?;
    let micros = instant.as_nanosecond().div_euclid(1_000);
    i64::try_from(micros).map_err(|_| fail(argument.span.start, "The time is out of range"))
}

impl<Id> Schema<Id> {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter_map(|field| field.names.first().copied())
    }
}
