//! The domain: engines, sessions, events and operations, the rules that govern them, the storage
//! contract that engines keep, and the catalogue of errors that callers see.
//!
//! Nothing here does I/O or reads a clock or randomness of its own: a [`Clock`], an [`IdSource`]
//! and a [`store::Store`] are handed in. Payloads (an event's content, an engine's spec, a state
//! value) are opaque bytes here: the rules never look inside them.

pub mod engine;
pub mod error;
pub mod event;
pub mod horizon;
pub mod id;
pub mod labels;
pub mod limits;
pub mod operation;
pub mod page;
pub mod query;
pub mod request;
pub mod service;
pub mod session;
pub mod state;
pub mod store;
pub mod time;
pub mod transfer;

pub use error::Error;
pub use id::IdSource;
pub use service::Service;
pub use time::{Clock, Timestamp};
