//! The whole crate from the outside, against a message with every kind of field.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod errors;
mod lenient;
mod mask;
mod oracle;
mod pieces;
#[path = "../../../../tests/random_messages.rs"]
mod random_messages;

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage};
use proto_json::{DEFAULT_DEPTH, JsonError, PrintOptions, Schema, WireError};

static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/protos");
    let mut compiler = protox::Compiler::new([directory]).unwrap();
    compiler.include_imports(true).open_file("every.proto").unwrap();
    compiler.encode_file_descriptor_set()
});
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::from_descriptor_set(&DESCRIPTORS).unwrap());
static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS.as_slice()).unwrap());

fn read(json: &str) -> Result<Vec<u8>, JsonError> {
    read_bytes(json.as_bytes())
}

fn read_bytes(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut wire = Vec::new();
    proto_json::json_to_wire(
        &SCHEMA,
        SCHEMA.message("test.Every").unwrap(),
        json,
        "every",
        DEFAULT_DEPTH,
        &mut wire,
    )
    .map(|()| wire)
}

fn print(wire: &[u8]) -> Result<String, WireError> {
    let mut json = Vec::new();
    proto_json::wire_to_json(
        &SCHEMA,
        SCHEMA.message("test.Every").unwrap(),
        wire,
        PrintOptions::default(),
        &mut json,
    )
    .map(|()| String::from_utf8(json).unwrap())
}

fn dynamic(wire: &[u8]) -> DynamicMessage {
    DynamicMessage::decode(POOL.get_message_by_name("test.Every").unwrap(), wire).unwrap()
}
