//! Typed resource names of the Agent Engine Sessions API (AIP-122): parse and print.
//!
//! A name is structure only: collections in the right places and no empty segment. What an id may
//! look like is a rule of the domain, not of its name. Names without the `projects/*/locations/*`
//! prefix (express mode, contract section 1.2) are read against a default [`LocationName`] and
//! always print in full.

mod names;
mod segments;

pub use names::{EngineName, EventName, LocationName, OperationName, OperationParent, SessionName};

/// A text that is not a name of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    /// The pattern that the text should have followed.
    pub pattern: &'static str,
}

impl std::fmt::Display for NameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a name of the form `{}` is expected", self.pattern)
    }
}

impl std::error::Error for NameError {}
