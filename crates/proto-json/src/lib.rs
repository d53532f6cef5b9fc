//! proto3 JSON to protobuf wire bytes and back, driven by descriptors, without generated structs.
//!
//! Errors are worded as Google's own front end words them, with paths in snake case. Nothing here knows a
//! service; everything is bounded in depth and never panics, whatever the bytes.
//!
//! [`json_to_wire`] reads, [`wire_to_json`] prints, [`parameter_to_wire`] reads one query parameter,
//! [`validate_wire`] checks bytes that came ready-made, [`merge_with_mask`] applies a field mask.

mod content;
mod error;
mod mask;
mod parameter;
mod parse;
mod print;
mod schema;
mod validate;
mod wellknown;
mod wire;

pub use error::{FieldViolation, JsonError, MaskError, SchemaError, WireError};
pub use mask::{merge_with_mask, set_fields};
pub use parameter::parameter_to_wire;
pub use parse::json_to_wire;
pub use print::{PrintOptions, wire_to_json};
pub use schema::{FieldInfo, MessageId, Schema};
pub use validate::validate_wire;

/// How deep JSON and messages may nest where nothing else is said.
pub const DEFAULT_DEPTH: usize = 100;
