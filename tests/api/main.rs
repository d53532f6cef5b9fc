//! The API from the outside: a real server on its own port and data, spoken to over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics has failed"
)]

mod client;
mod engines;
mod events;
mod lists;
mod operations;
mod server;
mod sessions;
mod state;
