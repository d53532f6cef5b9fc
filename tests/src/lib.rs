//! Tests live beside this crate: `tidy.rs` and `api/`.
