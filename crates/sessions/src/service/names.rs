//! Reading names as callers write them: express forms, and project ids for numbers.

use std::collections::BTreeMap;

use resource_names::{EngineName, LocationName, OperationName, OperationParent, SessionName};

use super::Service;
use crate::error::{Error, Result};

/// How names are read.
#[derive(Clone, Debug)]
pub struct NameRules {
    /// The parent of names without a prefix (express mode).
    pub express: LocationName,
    /// Project ids, each with the number that the store keeps for it.
    pub project_numbers: BTreeMap<String, String>,
}

impl NameRules {
    fn stored_project<'a>(&'a self, project: &'a str) -> &'a str {
        self.project_numbers.get(project).map_or(project, String::as_str)
    }

    /// The location as the store knows it.
    pub(super) fn stored_location(&self, asked: &LocationName) -> LocationName {
        LocationName {
            project: self.stored_project(&asked.project).to_owned(),
            location: asked.location.clone(),
        }
    }

    /// The engine as the store knows it.
    pub(super) fn stored_engine(&self, asked: &EngineName) -> EngineName {
        EngineName { location: self.stored_location(&asked.location), engine: asked.engine.clone() }
    }

    /// The session as the store knows it.
    pub(super) fn stored_session(&self, asked: &SessionName) -> SessionName {
        SessionName { engine: self.stored_engine(&asked.engine), session: asked.session.clone() }
    }

    /// The parent as the store knows it.
    pub(super) fn stored_parent(&self, asked: &OperationParent) -> OperationParent {
        let mut stored = asked.clone();
        *stored.location_mut() = self.stored_location(asked.location());
        stored
    }
}

impl Service {
    /// Reads the parent of engines.
    pub(super) fn read_location(&self, text: &str) -> Result<LocationName> {
        LocationName::parse(text, &self.settings.names.express).map_err(|e| Error::invalid_name("parent", &e))
    }

    /// Reads an engine's name out of `field`.
    pub(super) fn read_engine(&self, text: &str, field: &str) -> Result<EngineName> {
        EngineName::parse(text, &self.settings.names.express).map_err(|e| Error::invalid_name(field, &e))
    }

    /// Reads a session's name, or says in the caller's words what is wrong: the live service answers
    /// a malformed name differently from method to method (contract section 3.2).
    pub(super) fn read_session(
        &self,
        text: &str,
        malformed: impl FnOnce(&str) -> Error,
    ) -> Result<SessionName> {
        match SessionName::parse(text, &self.settings.names.express) {
            Ok(name) if self.settings.session_ids.allows(&name.session) => Ok(name),
            Ok(_) => Err(malformed(self.settings.session_ids.describe())),
            Err(problem) => Err(malformed(&problem.to_string())),
        }
    }

    /// Reads an operation's name.
    pub(super) fn read_operation(&self, text: &str) -> Result<OperationName> {
        OperationName::parse(text, &self.settings.names.express).map_err(|e| Error::invalid_name("name", &e))
    }

    /// Reads the parent of operations.
    pub(super) fn read_operation_parent(&self, text: &str) -> Result<OperationParent> {
        OperationParent::parse(text, &self.settings.names.express)
            .map_err(|e| Error::invalid_name("name", &e))
    }
}
