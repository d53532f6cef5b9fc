//! Tests from inside.

mod plans;
mod upgrades;
