//! Between messages of the wire contract and values of the domain. The only place that sees both.

pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod operation;
pub(crate) mod session;
pub(crate) mod state;
mod time;
pub(crate) mod version;
