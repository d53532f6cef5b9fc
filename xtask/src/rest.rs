//! A small JSON client of the server's REST surface.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

const LIMIT: Duration = Duration::from_secs(30);
/// Where the engines of these tasks live.
const LOCATION: &str = "projects/my-project/locations/us-central1";

/// One connection's worth of client.
#[derive(Debug)]
pub(crate) struct Rest {
    agent: Agent,
    root: String,
}

/// How a write is named, so that it may be sent again.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    /// In a header.
    Header(String),
    /// In the query.
    Parameter(String),
}

/// Why a call has no answer to use.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No whole answer came: whether the call was carried out is not known.
    Unanswered(String),
    /// The server said no: the HTTP status and the body.
    Refused(u16, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered(why) => write!(f, "no answer: {why}"),
            Self::Refused(status, body) => write!(f, "refused with {status}: {body}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Rest {
    /// A client of the server at `url`.
    pub(crate) fn new(url: &str) -> Self {
        Self::with_limit(url, LIMIT)
    }

    /// One that waits no longer than `limit`.
    pub(crate) fn with_limit(url: &str, limit: Duration) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(limit)).build();
        Self { agent: config.into(), root: url.trim_end_matches('/').to_owned() }
    }

    /// Whether the server says that it can serve.
    pub(crate) fn ready(&self) -> Result<(), Failure> {
        let response = self.agent.get(format!("{}/readyz", self.root)).call();
        let mut response = response.map_err(|error| Failure::Unanswered(error.to_string()))?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().unwrap_or_default();
        if status == 200 { Ok(()) } else { Err(Failure::Refused(status, body)) }
    }

    /// `GET` of a path below the version.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        answer(self.agent.get(self.url(path)).call())
    }

    /// `GET` of a path below the version with query parameters.
    pub(crate) fn list(&self, path: &str, parameters: &[(&str, String)]) -> Result<Value, Failure> {
        let query = parameters.iter().map(|(name, value)| (*name, value.as_str()));
        answer(self.agent.get(self.url(path)).query_pairs(query).call())
    }

    /// `POST` of `body` to a path below the version.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        answer(self.agent.post(self.url(path)).send_json(body))
    }

    /// The same for a write that may be sent again, which has a name. The path is below the root.
    pub(crate) fn post_named(&self, path: &str, body: &Value, name: &Name) -> Result<Value, Failure> {
        let (url, header) = self.named(path, name);
        let request = self.agent.post(url);
        let named = header.into_iter().fold(request, |request, (key, value)| request.header(key, value));
        answer(named.send_json(body))
    }

    /// `DELETE` with a name.
    pub(crate) fn delete_named(&self, path: &str, name: &Name) -> Result<Value, Failure> {
        let (url, header) = self.named(path, name);
        let request = self.agent.delete(url);
        answer(header.into_iter().fold(request, |request, (key, value)| request.header(key, value)).call())
    }

    fn named<'n>(&self, path: &str, name: &'n Name) -> (String, Option<(&'static str, &'n str)>) {
        match name {
            Name::Header(id) => (format!("{}/{path}", self.root), Some(("x-colloquy-request-id", id))),
            Name::Parameter(id) => {
                let separator = if path.contains('?') { '&' } else { '?' };
                (format!("{}/{path}{separator}requestId={id}", self.root), None)
            }
        }
    }

    /// `PATCH` of `body` to a path below the version.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        answer(self.agent.patch(self.url(path)).send_json(body))
    }

    /// `DELETE` of a path below the version.
    pub(crate) fn delete(&self, path: &str) -> Result<Value, Failure> {
        answer(self.agent.delete(self.url(path)).call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1beta1/{path}", self.root)
    }

    /// Creates an engine and answers its name.
    pub(crate) fn create_engine(&self) -> Result<String, Failure> {
        let body = serde_json::json!({"displayName": "xtask"});
        resource(&self.post(&format!("{LOCATION}/reasoningEngines"), &body)?)
    }

    /// Creates a session with an id of the caller's choice and answers its name.
    pub(crate) fn create_session(&self, engine: &str, id: &str, user: &str) -> Result<String, Failure> {
        let body = serde_json::json!({"userId": user});
        resource(&self.post(&format!("{engine}/sessions?sessionId={id}"), &body)?)
    }
}

/// The resource that an operation made, which is the operation's name up to its last two segments.
fn resource(operation: &Value) -> Result<String, Failure> {
    let name = operation.get("name").and_then(Value::as_str);
    let made = name.and_then(|name| name.split_once("/operations/")).map(|(resource, _)| resource.to_owned());
    made.ok_or_else(|| Failure::Refused(200, format!("not an operation: {operation}")))
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Failure> {
    let unanswered = |error: ureq::Error| Failure::Unanswered(error.to_string());
    let mut response = response.map_err(unanswered)?;
    let status = response.status().as_u16();
    if status != 200 {
        let body = response.body_mut().read_to_string().map_err(unanswered)?;
        return Err(Failure::Refused(status, body));
    }
    response.body_mut().read_json().map_err(unanswered)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operations_name_says_what_it_made() {
        let operation = json!({"name": "projects/p/locations/l/reasoningEngines/1/sessions/s/operations/2"});
        let made = resource(&operation).expect("the name of an operation");
        assert_eq!(made, "projects/p/locations/l/reasoningEngines/1/sessions/s");
        assert!(resource(&json!({"name": "projects/p"})).is_err());
        assert!(resource(&json!({})).is_err());
    }
}
