//! Queries. Each runs in one read transaction, or within the writer's.

pub(crate) mod engines;
pub(crate) mod events;
pub(crate) mod horizon;
pub(crate) mod operations;
pub(crate) mod sessions;
pub(crate) mod state;
