//! What lists may be filtered and ordered by (contract section 5, AIP-160, AIP-132).

mod lookup;
mod narrow;

use aip_filter::{Field, FieldType, OrderField, OrderTerm, Predicate, Schema};

use crate::error::{Error, Result};

pub use narrow::{Range, required_text};

/// The fields of an engine that a filter may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineField {
    /// `display_name`
    DisplayName,
    /// `description`
    Description,
    /// `labels`
    Labels,
    /// `create_time`
    CreateTime,
    /// `update_time`
    UpdateTime,
}

/// The fields of a session that a filter may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionField {
    /// `display_name`
    DisplayName,
    /// `user_id`
    UserId,
    /// `labels`
    Labels,
    /// `create_time`
    CreateTime,
    /// `update_time`
    UpdateTime,
    /// `expire_time`
    ExpireTime,
}

/// The fields of an event that a filter may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventField {
    /// `timestamp`
    Timestamp,
    /// `author`
    Author,
    /// `invocation_id`
    InvocationId,
}

/// The fields of an operation that a filter may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationField {
    /// `done`
    Done,
    /// `create_time`
    CreateTime,
    /// `update_time`
    UpdateTime,
}

/// What sessions may be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOrder {
    /// `create_time`
    CreateTime,
    /// `update_time`
    UpdateTime,
}

/// What events may be ordered by: the timestamp alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByTimestamp;

const DISPLAY_NAME: &[&str] = &["display_name", "displayName"];
const CREATE_TIME: &[&str] = &["create_time", "createTime"];
const UPDATE_TIME: &[&str] = &["update_time", "updateTime"];

const ENGINES: Schema<EngineField> = Schema {
    fields: &[
        Field { id: EngineField::DisplayName, names: DISPLAY_NAME, ty: FieldType::String },
        Field { id: EngineField::Description, names: &["description"], ty: FieldType::String },
        Field { id: EngineField::Labels, names: &["labels"], ty: FieldType::StringMap },
        Field { id: EngineField::CreateTime, names: CREATE_TIME, ty: FieldType::Timestamp },
        Field { id: EngineField::UpdateTime, names: UPDATE_TIME, ty: FieldType::Timestamp },
    ],
};

const SESSIONS: Schema<SessionField> = Schema {
    fields: &[
        Field { id: SessionField::DisplayName, names: DISPLAY_NAME, ty: FieldType::String },
        Field { id: SessionField::UserId, names: &["user_id", "userId"], ty: FieldType::String },
        Field { id: SessionField::Labels, names: &["labels"], ty: FieldType::StringMap },
        Field { id: SessionField::CreateTime, names: CREATE_TIME, ty: FieldType::Timestamp },
        Field { id: SessionField::UpdateTime, names: UPDATE_TIME, ty: FieldType::Timestamp },
        Field {
            id: SessionField::ExpireTime,
            names: &["expire_time", "expireTime"],
            ty: FieldType::Timestamp,
        },
    ],
};

const EVENTS: Schema<EventField> = Schema {
    fields: &[
        Field { id: EventField::Timestamp, names: &["timestamp"], ty: FieldType::Timestamp },
        Field { id: EventField::Author, names: &["author"], ty: FieldType::String },
        Field {
            id: EventField::InvocationId,
            names: &["invocation_id", "invocationId"],
            ty: FieldType::String,
        },
    ],
};

const OPERATIONS: Schema<OperationField> = Schema {
    fields: &[
        Field { id: OperationField::Done, names: &["done"], ty: FieldType::Bool },
        Field { id: OperationField::CreateTime, names: CREATE_TIME, ty: FieldType::Timestamp },
        Field { id: OperationField::UpdateTime, names: UPDATE_TIME, ty: FieldType::Timestamp },
    ],
};

/// Reads the filter of a list of engines; `None` where it is empty.
pub fn engine_filter(text: &str) -> Result<Option<Predicate<EngineField>>> {
    filter(&ENGINES, text)
}

/// Reads the filter of a list of sessions; `None` where it is empty.
pub fn session_filter(text: &str) -> Result<Option<Predicate<SessionField>>> {
    filter(&SESSIONS, text)
}

/// Reads the filter of a list of events; `None` where it is empty.
pub fn event_filter(text: &str) -> Result<Option<Predicate<EventField>>> {
    filter(&EVENTS, text)
}

/// Reads the filter of a list of operations; `None` where it is empty.
pub fn operation_filter(text: &str) -> Result<Option<Predicate<OperationField>>> {
    filter(&OPERATIONS, text)
}

fn filter<Id: Copy>(schema: &Schema<Id>, text: &str) -> Result<Option<Predicate<Id>>> {
    aip_filter::parse_filter(schema, text).map_err(|error| Error::field("filter", error.message))
}

/// Reads the order of a list of sessions; newest update first where none is asked [O].
pub fn session_order(text: &str) -> Result<Vec<OrderTerm<SessionOrder>>> {
    const FIELDS: &[OrderField<SessionOrder>] = &[
        OrderField { id: SessionOrder::CreateTime, names: CREATE_TIME },
        OrderField { id: SessionOrder::UpdateTime, names: UPDATE_TIME },
    ];
    let terms = order(FIELDS, text)?;
    if terms.is_empty() {
        return Ok(vec![OrderTerm { field: SessionOrder::UpdateTime, descending: true }]);
    }
    Ok(terms)
}

/// Tells the orders of sessions apart in cursors: two bits for each term, under a leading 1.
pub fn session_order_mark(order: &[OrderTerm<SessionOrder>]) -> u8 {
    order.iter().fold(1, |mark: u8, term| {
        let field = u8::from(term.field == SessionOrder::CreateTime);
        (mark << 2) | (field << 1) | u8::from(term.descending)
    })
}

/// Reads the order of a list of events: whether the latest come first.
pub fn event_order_is_descending(text: &str) -> Result<bool> {
    const FIELDS: &[OrderField<ByTimestamp>] = &[OrderField { id: ByTimestamp, names: &["timestamp"] }];
    Ok(order(FIELDS, text)?.first().is_some_and(|term| term.descending))
}

fn order<Id: Copy + PartialEq>(fields: &[OrderField<Id>], text: &str) -> Result<Vec<OrderTerm<Id>>> {
    aip_filter::parse_order_by(fields, text).map_err(|error| Error::field("order_by", error.message))
}
