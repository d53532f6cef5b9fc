//! What the fields of a filter are, of an engine and of an operation.
//!
//! Sessions and events are filtered before they are read whole: engines look their fields up in rows.

use aip_filter::Lookup;

use super::{EngineField, OperationField};
use crate::engine::Engine;
use crate::operation::Operation;

impl Lookup<EngineField> for Engine {
    fn string(&self, field: EngineField) -> &str {
        match field {
            EngineField::DisplayName => &self.content.display_name,
            EngineField::Description => &self.content.description,
            EngineField::Labels | EngineField::CreateTime | EngineField::UpdateTime => "",
        }
    }

    fn timestamp(&self, field: EngineField) -> i64 {
        match field {
            EngineField::UpdateTime => self.update_time.0,
            _ => self.create_time.0,
        }
    }

    fn map_value(&self, _: EngineField, key: &str) -> Option<&str> {
        self.content.labels.get(key).map(String::as_str)
    }
}

impl Lookup<OperationField> for Operation {
    fn timestamp(&self, field: OperationField) -> i64 {
        match field {
            OperationField::UpdateTime => self.update_time.0,
            _ => self.create_time.0,
        }
    }

    fn bool(&self, _: OperationField) -> bool {
        self.done
    }
}
