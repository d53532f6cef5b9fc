//! A server of a test's own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Answer, Client};
use crate::schema::Schema;

/// The parent of what tests make.
pub(crate) const LOCATION: &str = "projects/123/locations/us-central1";

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// What it wrote to stdout before it was ready.
    pub(crate) greeting: Vec<String>,
    data: Option<TempDir>,
    schema: Option<Schema>,
}

/// The command that runs the server, quietly.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

impl Server {
    /// A server with a store of its own: a data directory, or what `TEST_STORE` asks for.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more flags.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let schema = Schema::if_asked();
        let url = schema.as_ref().map(Schema::url);
        let store = url.iter().flat_map(|url| ["--store", url]);
        let flags: Vec<_> = flags.iter().copied().chain(store).collect();
        let mut server = Self::start_on(data.path(), &flags);
        server.data = Some(data);
        server.schema = schema;
        server
    }

    /// A server on a data directory that outlives it.
    pub(crate) fn start_on(data: &Path, flags: &[&str]) -> Self {
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data).args(flags);
        Self::run(command)
    }

    /// The server that a command runs.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = Vec::new();
        let address = loop {
            let line = lines.next().expect("the server says where it listens").unwrap();
            greeting.push(line.clone());
            if let Some(address) = line.strip_prefix("listening on http://") {
                greeting.extend(lines.next().map(Result::unwrap));
                break address.parse().unwrap();
            }
        };
        Self { child, address, greeting, data: None, schema: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// SIGKILL: nothing is drained or closed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < patience, "the server does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn stop(self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.client().get(path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.client().send("POST", path, Some(body))
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.client().send("PATCH", path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.client().send("DELETE", path, None)
    }

    /// Makes an engine; gives its name.
    pub(crate) fn engine(&self) -> String {
        let operation =
            self.post(&format!("/v1beta1/{LOCATION}/reasoningEngines"), &json!({"displayName": "e"})).ok();
        operation["response"]["name"].as_str().unwrap().to_owned()
    }

    /// Makes a session in a new engine; gives its name.
    pub(crate) fn session(&self) -> String {
        self.session_in(&self.engine(), &json!({"userId": "u"}))
    }

    /// Makes a session in an engine; gives its name.
    pub(crate) fn session_in(&self, engine: &str, session: &Value) -> String {
        let operation = self.post(&format!("/v1beta1/{engine}/sessions"), session).ok();
        operation["response"]["name"].as_str().unwrap().to_owned()
    }

    /// Appends an event with a delta.
    pub(crate) fn append(&self, session: &str, timestamp: &str, delta: &Value) {
        let answer = self.post(&format!("/v1beta1/{session}:appendEvent"), &event(timestamp, delta));
        assert_eq!(answer.ok(), json!({}));
    }

    /// A session as it is now.
    pub(crate) fn read(&self, session: &str) -> Value {
        self.get(&format!("/v1beta1/{session}")).ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An event as clients send it.
pub(crate) fn event(timestamp: &str, delta: &Value) -> Value {
    json!({
        "author": "user",
        "invocationId": "inv",
        "timestamp": timestamp,
        "content": {"role": "user", "parts": [{"text": "hello"}]},
        "actions": {"stateDelta": delta},
    })
}
