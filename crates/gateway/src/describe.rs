//! The contract for machines: a Google discovery document for each version, and one OpenAPI document.
//!
//! Both are made from the descriptors and the HTTP rules that the routes are made from, when they are first asked
//! for. Descriptions are the comments of `proto/`.

mod discovery;
mod method;
mod model;
mod openapi;

use std::sync::OnceLock;

use colloquy_contract::HttpRule;
use serde_json::{Map, Value, json};

use method::Method;
use model::Model;

/// The versions that a discovery document exists for.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// What the documents say, and the documents once they are made.
#[derive(Debug)]
pub(crate) struct Description {
    model: Model,
    methods: Vec<Method>,
    discovery: [OnceLock<String>; VERSIONS.len()],
    openapi: OnceLock<String>,
}

/// A contract that cannot be described: a defect of the build, found when the server starts.
#[derive(Debug, thiserror::Error)]
#[error("the contract cannot be described: {0}")]
pub(crate) struct NotDescribable(String);

impl Description {
    /// Reads an encoded `google.protobuf.FileDescriptorSet` that has comments, and the rules.
    pub(crate) fn new(descriptor_set: &[u8], rules: &'static [HttpRule]) -> Result<Self, NotDescribable> {
        let model = Model::read(descriptor_set)?;
        let methods = rules.iter().map(|rule| Method::of(rule, &model)).collect::<Result<_, _>>()?;
        Ok(Self {
            model,
            methods,
            discovery: [const { OnceLock::new() }; VERSIONS.len()],
            openapi: OnceLock::new(),
        })
    }

    /// The discovery document of a version, for a server that is reached at `root_url`, such as
    /// `http://127.0.0.1:8080/`; nothing for a version that there is not.
    pub(crate) fn discovery(&self, version: &str, root_url: &str) -> Option<Vec<u8>> {
        let (version, made) = VERSIONS.iter().zip(&self.discovery).find(|(known, _)| **known == version)?;
        let rest = made.get_or_init(|| discovery::document(&self.model, &self.methods, version).to_string());
        Some(joined(&json!({"rootUrl": root_url, "baseUrl": root_url}), rest))
    }

    /// The OpenAPI document of all versions, for a server that is reached at `root_url`.
    pub(crate) fn openapi(&self, root_url: &str) -> Vec<u8> {
        let rest = self.openapi.get_or_init(|| openapi::document(&self.model, &self.methods).to_string());
        joined(&json!({"servers": [{"url": root_url.trim_end_matches('/')}]}), rest)
    }
}

/// An object with the members of `own`, which depend on who asks, then those of `rest`, which never change.
fn joined(own: &Value, rest: &str) -> Vec<u8> {
    let own = own.to_string();
    let own = own.strip_suffix('}').unwrap_or(&own);
    format!("{own},{}", rest.strip_prefix('{').unwrap_or(rest)).into_bytes()
}

/// The name of a message's schema, as Google's documents make it: `google.rpc.Status` is `GoogleRpcStatus`.
fn schema_name(full_name: &str) -> String {
    let mut name = String::with_capacity(full_name.len());
    for part in full_name.split('.') {
        let mut rest = part.chars();
        name.extend(rest.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(rest.as_str());
    }
    name
}

/// Both formats call it alike.
fn set_description(members: &mut Map<String, Value>, comment: &str) {
    if !comment.is_empty() {
        members.insert("description".to_owned(), comment.into());
    }
}

#[cfg(test)]
mod tests;
