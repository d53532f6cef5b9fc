//! The default storage engine; not there yet.
