//! Engines: the parents of sessions (the API's ReasoningEngine).

use bytes::Bytes;
use resource_names::EngineName;

use crate::error::{Error, Result, Violations};
use crate::labels::{self, Labels};
use crate::limits::{DESCRIPTION_CHARS, DISPLAY_NAME_CHARS};
use crate::time::Timestamp;

/// An engine as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its name; engines of the store carry the stored project, answers the project that was asked.
    pub name: EngineName,
    /// What the caller says of it.
    pub content: EngineContent,
    /// Rises by one with every update, from 1.
    pub revision: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

/// The part of an engine that callers write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineContent {
    /// For people.
    pub display_name: String,
    /// For people.
    pub description: String,
    /// Key-value pairs.
    pub labels: Labels,
    /// Every other field of the message, as wire bytes: spec, context spec, encryption spec, traffic.
    /// Kept and given back, never interpreted.
    pub settings: Bytes,
}

impl Engine {
    /// Changes with every update, and differs between engines of one name over time (AIP-154).
    pub fn etag(&self) -> String {
        format!("{:x}-{:x}", self.create_time.0, self.revision)
    }

    /// Refuses an update that was made from another version; an empty etag asks for no check (AIP-154).
    pub fn check_etag(&self, etag: &str, asked: &EngineName) -> Result<()> {
        if etag.is_empty() || etag == self.etag() { Ok(()) } else { Err(Error::etag_mismatch(asked)) }
    }
}

impl EngineContent {
    /// Checks what callers may write.
    pub fn check(&self) -> Result<()> {
        let mut violations = Violations::default();
        violations.limit_chars("reasoning_engine.display_name", &self.display_name, DISPLAY_NAME_CHARS);
        violations.limit_chars("reasoning_engine.description", &self.description, DESCRIPTION_CHARS);
        labels::check(&self.labels, "reasoning_engine.labels", &mut violations);
        violations.finish()
    }
}
