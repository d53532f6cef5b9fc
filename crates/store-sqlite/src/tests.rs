//! What the contract does not say: the directory, the plans, failing disks, many rows.

mod directory;
mod failures;
mod fixture;
mod log;
mod many;
mod plans;
mod transfer;
