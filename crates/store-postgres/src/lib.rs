//! The storage engine for many nodes: PostgreSQL. Any number of servers may work on one database at the same time.
//!
//! Appends are gathered and go in batches, a few at a time; every other write is a transaction of its own; every read
//! is one statement or one snapshot. See `colloquy_sessions::store` for what is promised.

/// The text of a statement under `sql/`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))
    };
}

mod connection;
mod database;
mod engine_keys;
mod error;
mod horizon;
mod hosts;
mod key;
mod lease;
mod migrate;
mod pipeline;
mod protocol;
mod query;
mod queue;
mod read;
mod room;
mod row;
mod session_keys;
mod store;
mod tls;
mod transaction;
mod transfer;
mod url;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub use error::OpenError;
pub use store::{Options, PostgresStore};
pub use transfer::PostgresTransfer;
