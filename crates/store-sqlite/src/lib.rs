//! The default storage engine: embedded SQLite, one writer with group commit, a pool of snapshot readers.
//!
//! One data directory belongs to one server. See `colloquy_sessions::store` for what is promised.

/// The text of a statement under `sql/`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))
    };
}

mod blocks;
mod checkpoint;
mod connection;
mod directory;
mod error;
mod fault;
mod job;
mod log_check;
mod migrate;
mod pool;
mod query;
mod read;
mod reserve;
mod row;
mod store;
mod sync;
mod transfer;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub use error::OpenError;
pub use store::{Options, SqliteStore};
pub use transfer::SqliteTransfer;
