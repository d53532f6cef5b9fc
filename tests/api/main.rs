//! The API from the outside: a real server on its own port and data, spoken to over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics has failed"
)]

mod bad_input;
mod client;
mod engines;
mod errors;
mod events;
mod grpc;
mod grpc_client;
mod lists;
mod migrate;
mod operations;
mod parity;
mod process;
mod random_json;
#[path = "../random_messages.rs"]
mod random_messages;
mod retries;
mod schema;
mod server;
mod sessions;
mod state;
mod wire;
