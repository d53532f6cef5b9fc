//! Tasks; not there yet.
fn main() {}
