//! The storage contract as tests; not there yet.
