//! What bad input gets: a `google.rpc.Status` that says what is wrong, never a 5xx, never a lost write.

mod bodies;
mod fields;
mod lists;
mod names;
mod text;

use serde_json::{Value, json};

use crate::server::{Server, event};

/// A server with a session that must come through whatever is sent.
struct Target {
    server: Server,
    engine: String,
    session: String,
    before: Value,
    events: Value,
}

impl Target {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(flags: &[&str]) -> Self {
        let server = Server::start_with(flags);
        let engine = server.engine();
        let session = server.session_in(
            &engine,
            &json!({"userId": "u", "displayName": "d", "labels": {"a": "b"}, "sessionState": {"k": 1, "app:k": 2}}),
        );
        for second in 0..3 {
            server.append(&session, &format!("2026-01-01T00:00:0{second}Z"), &json!({"user:k": second}));
        }
        let before = server.read(&session);
        let events = server.get(&format!("/v1beta1/{session}/events")).ok();
        Self { server, engine, session, before, events }
    }

    /// All that was there is there as it was, nothing has come, and the next write is taken.
    fn assert_unharmed(&self) {
        let events = format!("/v1beta1/{}/events", self.session);
        assert_eq!(self.server.read(&self.session), self.before);
        assert_eq!(self.server.get(&events).ok(), self.events);
        assert_eq!(self.server.get(&self.sessions()).ok(), json!({"sessions": [self.before]}));
        self.server.append(&self.session, "2026-01-01T00:01:00Z", &json!({"after": true}));
        assert_eq!(self.server.read(&self.session)["sessionState"]["after"], true);
        assert_eq!(self.server.get(&events).ok()["sessionEvents"].as_array().unwrap().len(), 4);
    }

    fn sessions(&self) -> String {
        format!("/v1beta1/{}/sessions", self.engine)
    }

    fn append_path(&self) -> String {
        format!("/v1beta1/{}:appendEvent", self.session)
    }

    /// What the creation of a session is told.
    fn create(&self, session: &Value) -> String {
        self.server.post(&self.sessions(), session).invalid()
    }

    /// What an update of the session is told.
    fn update(&self, query: &str, session: &Value) -> String {
        self.server.patch(&format!("/v1beta1/{}{query}", self.session), session).invalid()
    }

    /// What an append is told that would be right but for these members.
    fn append(&self, members: &Value) -> String {
        let mut sent = event("2026-01-01T00:00:09Z", &json!({"never": true}));
        for (name, value) in members.as_object().unwrap() {
            sent[name] = value.clone();
        }
        self.server.post(&self.append_path(), &sent).invalid()
    }

    /// What bytes are told, as a session, as an update and as an event.
    fn raw(&self, body: &[u8]) -> [String; 3] {
        let send = |method, path: &str| self.server.client().send_bytes(method, path, Some(body)).invalid();
        [
            send("POST", &self.sessions()),
            send("PATCH", &format!("/v1beta1/{}", self.session)),
            send("POST", &self.append_path()),
        ]
    }
}

/// The frame of the validator around one violation.
fn found(field: &str, text: &str) -> String {
    format!("List of found errors:\t1.Field: {field}; Message: {text}\t")
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
