//! Commands: each runs within a transaction of its own, but for appends, which share them.
//!
//! Locks are taken in one order, so that nobody waits in a circle: the engine's row, the clocks of sessions by their
//! keys, apps by theirs, users by theirs. Upkeep alone does not keep to it; PostgreSQL ends one of those that meet, and
//! that one is tried again.

pub(crate) mod create;
pub(crate) mod engines;
pub(crate) mod events;
mod find;
mod free;
pub(crate) mod operations;
pub(crate) mod requests;
pub(crate) mod sessions;
mod sizes;
mod state;
pub(crate) mod upkeep;
