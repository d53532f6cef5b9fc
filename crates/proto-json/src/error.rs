//! What can be wrong with JSON, with wire bytes, with a mask, with descriptors.

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path in snake case; empty for the whole.
    pub field: String,
    /// What is wrong.
    pub description: String,
}

/// JSON that does not fit its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// Everything that is wrong, a line each.
    pub message: String,
    /// The fields at fault; empty where the text is no JSON.
    pub violations: Vec<FieldViolation>,
}

impl JsonError {
    pub(crate) fn of(violations: Vec<FieldViolation>) -> Self {
        let lines: Vec<_> = violations.iter().map(|violation| violation.description.as_str()).collect();
        Self { message: lines.join("\n"), violations }
    }

    /// A query parameter that is no field of the request.
    pub fn unbound_parameter(name: &str) -> Self {
        let name: String = name.chars().take(100).collect();
        let description = format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. \
             Field '{name}' could not be found in request message."
        );
        Self::of(vec![FieldViolation { field: name, description }])
    }
}

/// Bytes that are not a message of their type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end within a field, or a tag or length makes no sense.
    #[error("the bytes of {0} are malformed")]
    Malformed(String),
    /// A string is not UTF-8.
    #[error("the field {0} is not valid UTF-8")]
    NotUtf8(String),
    /// A message nests deeper than the limit.
    #[error("the message nests deeper than {0} levels")]
    TooDeep(usize),
    /// A `google.protobuf.Any` of a type that is not known.
    #[error("the type {0} is not known")]
    UnknownType(String),
    /// A well-known type outside of its range.
    #[error("the field {0} is out of range")]
    OutOfRange(String),
}

/// A path of a field mask that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path \"{path}\" names no field")]
pub struct MaskError {
    /// The path as it was given.
    pub path: String,
}

/// Descriptors that cannot be used: a defect of the build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub(crate) String);
