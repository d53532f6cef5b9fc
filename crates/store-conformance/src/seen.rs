//! Stored things as filters see them.

use aip_filter::Lookup;
use colloquy_sessions::engine::Engine;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::query::{EngineField, EventField, OperationField, SessionField};
use colloquy_sessions::session::Session;
use colloquy_sessions::store::NewEvent;

/// A thing that a filter can be held against. Events are seen as they were appended: the stored ones carry
/// neither author nor invocation.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a, T>(pub &'a T);

impl Lookup<EngineField> for Seen<'_, Engine> {
    fn string(&self, field: EngineField) -> &str {
        match field {
            EngineField::DisplayName => &self.0.content.display_name,
            EngineField::Description => &self.0.content.description,
            EngineField::Labels | EngineField::CreateTime | EngineField::UpdateTime => "",
        }
    }

    fn timestamp(&self, field: EngineField) -> i64 {
        match field {
            EngineField::CreateTime => self.0.create_time.0,
            EngineField::UpdateTime => self.0.update_time.0,
            EngineField::DisplayName | EngineField::Description | EngineField::Labels => 0,
        }
    }

    fn map_value(&self, _: EngineField, key: &str) -> Option<&str> {
        self.0.content.labels.get(key).map(String::as_str)
    }
}

impl Lookup<SessionField> for Seen<'_, Session> {
    fn string(&self, field: SessionField) -> &str {
        match field {
            SessionField::DisplayName => &self.0.display_name,
            SessionField::UserId => &self.0.user_id,
            SessionField::Labels
            | SessionField::CreateTime
            | SessionField::UpdateTime
            | SessionField::ExpireTime => "",
        }
    }

    fn timestamp(&self, field: SessionField) -> i64 {
        match field {
            SessionField::CreateTime => self.0.create_time.0,
            SessionField::UpdateTime => self.0.update_time.0,
            SessionField::ExpireTime => self.0.expire_time.0,
            SessionField::DisplayName | SessionField::UserId | SessionField::Labels => 0,
        }
    }

    fn map_value(&self, _: SessionField, key: &str) -> Option<&str> {
        self.0.labels.get(key).map(String::as_str)
    }
}

impl Lookup<EventField> for Seen<'_, NewEvent> {
    fn string(&self, field: EventField) -> &str {
        match field {
            EventField::Author => &self.0.author,
            EventField::InvocationId => &self.0.invocation_id,
            EventField::Timestamp => "",
        }
    }

    fn timestamp(&self, _: EventField) -> i64 {
        self.0.timestamp.0
    }
}

impl Lookup<OperationField> for Seen<'_, Operation> {
    fn bool(&self, _: OperationField) -> bool {
        self.0.done
    }

    fn timestamp(&self, field: OperationField) -> i64 {
        match field {
            OperationField::CreateTime => self.0.create_time.0,
            OperationField::UpdateTime => self.0.update_time.0,
            OperationField::Done => 0,
        }
    }
}
