//! Instants.

use colloquy_sessions::Timestamp;

/// Rounds down to the microsecond.
pub(crate) fn from_message(message: &prost_types::Timestamp) -> Timestamp {
    Timestamp::from_parts(message.seconds, message.nanos)
}

/// The same instant as protobuf counts it.
pub(crate) fn to_message(timestamp: Timestamp) -> prost_types::Timestamp {
    let (seconds, nanos) = timestamp.parts();
    prost_types::Timestamp { seconds, nanos }
}
