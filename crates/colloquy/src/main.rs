//! The binary; not there yet.
fn main() {}
