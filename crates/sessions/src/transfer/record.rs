//! The rows of a store as values, and the one encoding that checksums are made of.

use bytes::Bytes;
use resource_names::LocationName;
use sha2::{Digest as _, Sha256};

use super::Kind;
use crate::engine::Engine;
use crate::event::Event;
use crate::labels::Labels;
use crate::operation::{ApiVersion, OperationKind};
use crate::state::Scope;
use crate::time::Timestamp;

/// A key by which rows name each other; the same in every store that a row is copied to.
pub type Key = i64;

/// A digest of a row, or of what tells it from others.
pub(super) type RowDigest = [u8; 32];

/// A row.
pub trait Record {
    /// What it is.
    fn kind(&self) -> Kind;

    /// About how many bytes it takes.
    fn bytes(&self) -> usize;

    /// Which row of its kind it is, for people.
    fn place(&self) -> String;

    /// Writes what tells it from all others of its kind.
    fn write_identity(&self, encoder: &mut Encoder);

    /// Writes the rest.
    fn write_content(&self, encoder: &mut Encoder);
}

/// Makes digests of values, each with its length, so that none runs into the next.
#[derive(Debug, Default)]
pub struct Encoder(Sha256);

impl Encoder {
    /// Adds a number.
    pub fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    /// Adds a number that no signed one may be large enough for.
    pub fn unsigned(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.unsigned(bytes.len() as u64);
        self.0.update(bytes);
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn labels(&mut self, labels: &Labels) {
        self.unsigned(labels.len() as u64);
        for (key, value) in labels {
            self.text(key);
            self.text(value);
        }
    }
}

/// The digest of what tells a row from others of its kind.
pub(super) fn identity(record: &dyn Record) -> RowDigest {
    let mut encoder = Encoder::default();
    record.write_identity(&mut encoder);
    encoder.0.finalize().into()
}

/// The digest of all that a row holds.
pub(super) fn digest(record: &dyn Record) -> RowDigest {
    let mut encoder = Encoder::default();
    record.write_identity(&mut encoder);
    record.write_content(&mut encoder);
    encoder.0.finalize().into()
}

/// What a row takes beside its texts and values.
const ROW_BYTES: usize = 64;

fn label_bytes(labels: &Labels) -> usize {
    labels.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// An engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineRecord {
    /// Its key.
    pub key: Key,
    /// The engine.
    pub engine: Engine,
    /// The operation that deleted it, which ends when its purge does; none while it is live.
    pub deleted_by: Option<u64>,
    /// The size of its app's state.
    pub state_bytes: i64,
}

impl Record for EngineRecord {
    fn kind(&self) -> Kind {
        Kind::Engines
    }

    fn bytes(&self) -> usize {
        let content = &self.engine.content;
        let texts = content.display_name.len() + content.description.len() + label_bytes(&content.labels);
        ROW_BYTES + texts + content.settings.len()
    }

    fn place(&self) -> String {
        format!("{} (engine key {})", self.engine.name, self.key)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.number(self.key);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        let Engine { name, content, revision, create_time, update_time } = &self.engine;
        encoder.text(&name.location.project);
        encoder.text(&name.location.location);
        encoder.text(&name.engine);
        encoder.text(&content.display_name);
        encoder.text(&content.description);
        encoder.labels(&content.labels);
        encoder.bytes(&content.settings);
        encoder.number(*revision);
        encoder.number(create_time.0);
        encoder.number(update_time.0);
        encoder.unsigned(self.deleted_by.map_or(0, |_| 1));
        encoder.unsigned(self.deleted_by.unwrap_or_default());
        encoder.number(self.state_bytes);
    }
}

/// A user of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// Its engine.
    pub engine: Key,
    /// Its key.
    pub key: Key,
    /// What callers call it.
    pub user_id: String,
    /// The size of its state.
    pub state_bytes: i64,
}

impl Record for UserRecord {
    fn kind(&self) -> Kind {
        Kind::Users
    }

    fn bytes(&self) -> usize {
        ROW_BYTES + self.user_id.len()
    }

    fn place(&self) -> String {
        format!("user {:?} (key {}) of engine key {}", self.user_id, self.key, self.engine)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.number(self.engine);
        encoder.number(self.key);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        encoder.text(&self.user_id);
        encoder.number(self.state_bytes);
    }
}

/// A session, without its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its engine.
    pub engine: Key,
    /// Its key.
    pub key: Key,
    /// Its user.
    pub user: Key,
    /// Its id.
    pub session_id: String,
    /// For people.
    pub display_name: String,
    /// Key-value pairs.
    pub labels: Labels,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// When it ends.
    pub expire_time: Timestamp,
    /// The place of its last event; 0 where there is none.
    pub last_sequence: u64,
    /// The size of its own state.
    pub state_bytes: i64,
}

impl Record for SessionRecord {
    fn kind(&self) -> Kind {
        Kind::Sessions
    }

    fn bytes(&self) -> usize {
        ROW_BYTES + self.session_id.len() + self.display_name.len() + label_bytes(&self.labels)
    }

    fn place(&self) -> String {
        format!("session {:?} (key {}) of engine key {}", self.session_id, self.key, self.engine)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.number(self.engine);
        encoder.number(self.key);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        encoder.number(self.user);
        encoder.text(&self.session_id);
        encoder.text(&self.display_name);
        encoder.labels(&self.labels);
        encoder.number(self.create_time.0);
        encoder.number(self.update_time.0);
        encoder.number(self.expire_time.0);
        encoder.unsigned(self.last_sequence);
        encoder.number(self.state_bytes);
    }
}

/// A key of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRecord {
    /// Who shares it.
    pub scope: Scope,
    /// The engine.
    pub engine: Key,
    /// The user or the session; the engine again where it is the app's.
    pub owner: Key,
    /// The key, without prefix.
    pub key: String,
    /// The value.
    pub value: Bytes,
}

impl Record for StateRecord {
    fn kind(&self) -> Kind {
        match self.scope {
            Scope::App => Kind::AppState,
            Scope::User => Kind::UserState,
            Scope::Session => Kind::SessionState,
        }
    }

    fn bytes(&self) -> usize {
        ROW_BYTES + self.key.len() + self.value.len()
    }

    fn place(&self) -> String {
        let owner = match self.scope {
            Scope::App => String::new(),
            Scope::User => format!("user key {} of ", self.owner),
            Scope::Session => format!("session key {} of ", self.owner),
        };
        format!("{:?} of {owner}engine key {}", self.key, self.engine)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.number(self.engine);
        encoder.number(self.owner);
        encoder.text(&self.key);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        encoder.bytes(&self.value);
    }
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Its engine.
    pub engine: Key,
    /// Its session.
    pub session: Key,
    /// The event.
    pub event: Event,
    /// Who spoke.
    pub author: String,
    /// What invocation it belongs to.
    pub invocation_id: String,
}

impl Record for EventRecord {
    fn kind(&self) -> Kind {
        Kind::Events
    }

    fn bytes(&self) -> usize {
        ROW_BYTES + self.author.len() + self.invocation_id.len() + self.event.payload.len()
    }

    fn place(&self) -> String {
        let Event { id, sequence, .. } = self.event;
        format!("event {sequence} (id {id}) of session key {} of engine key {}", self.session, self.engine)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.number(self.engine);
        encoder.number(self.session);
        encoder.unsigned(self.event.sequence);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        encoder.unsigned(self.event.id);
        encoder.number(self.event.timestamp.0);
        encoder.text(&self.author);
        encoder.text(&self.invocation_id);
        encoder.bytes(&self.event.payload);
    }
}

/// What an operation hangs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Its location.
    Location,
    /// An engine.
    Engine(Key),
    /// A session of an engine.
    Session {
        /// The engine.
        engine: Key,
        /// The session.
        session: Key,
    },
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRecord {
    /// The id in its name.
    pub id: u64,
    /// Where it is.
    pub location: LocationName,
    /// What it hangs from.
    pub owner: Owner,
    /// What it does.
    pub kind: OperationKind,
    /// The version that it was started through.
    pub version: ApiVersion,
    /// Whether it has ended.
    pub done: bool,
    /// When it began.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

impl Record for OperationRecord {
    fn kind(&self) -> Kind {
        Kind::Operations
    }

    fn bytes(&self) -> usize {
        ROW_BYTES + self.location.project.len() + self.location.location.len()
    }

    fn place(&self) -> String {
        format!("operation {} of {}", self.id, self.location)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.unsigned(self.id);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        encoder.text(&self.location.project);
        encoder.text(&self.location.location);
        let (owner, engine, session) = match self.owner {
            Owner::Location => (0, 0, 0),
            Owner::Engine(engine) => (1, engine, 0),
            Owner::Session { engine, session } => (2, engine, session),
        };
        encoder.number(owner);
        encoder.number(engine);
        encoder.number(session);
        encoder.number(self.kind as i64);
        encoder.number(self.version as i64);
        encoder.number(self.done.into());
        encoder.number(self.create_time.0);
        encoder.number(self.update_time.0);
    }
}

/// A request that its caller may send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The engine.
    pub engine: Key,
    /// The session; 0 where the request is the engine's.
    pub session: Key,
    /// The caller's id.
    pub id: String,
    /// What was asked.
    pub fingerprint: Bytes,
    /// What a retry is told.
    pub answer: Bytes,
    /// When it was carried out.
    pub time: Timestamp,
}

impl Record for RequestRecord {
    fn kind(&self) -> Kind {
        Kind::Requests
    }

    fn bytes(&self) -> usize {
        ROW_BYTES + self.id.len() + self.fingerprint.len() + self.answer.len()
    }

    fn place(&self) -> String {
        format!("request {:?} of session key {} of engine key {}", self.id, self.session, self.engine)
    }

    fn write_identity(&self, encoder: &mut Encoder) {
        encoder.number(self.engine);
        encoder.number(self.session);
        encoder.text(&self.id);
    }

    fn write_content(&self, encoder: &mut Encoder) {
        encoder.bytes(&self.fingerprint);
        encoder.bytes(&self.answer);
        encoder.number(self.time.0);
    }
}
