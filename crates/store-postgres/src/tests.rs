//! Tests from inside.

mod plans;
