//! Long-running operations (AIP-151): what a create, an update of an engine or a delete became.

use resource_names::OperationParent;

use crate::engine::Engine;
use crate::session::Session;
use crate::time::Timestamp;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Named under the session that it makes.
    CreateSession,
    /// Named under the location.
    DeleteSession,
    /// Named under the engine that it makes.
    CreateEngine,
    /// Named under the engine.
    UpdateEngine,
    /// Named under the location. Not done before the engine's sessions are purged.
    DeleteEngine,
}

impl OperationKind {
    /// All kinds, in the order of their stored numbers.
    pub const ALL: [Self; 5] = [
        Self::CreateSession,
        Self::DeleteSession,
        Self::CreateEngine,
        Self::UpdateEngine,
        Self::DeleteEngine,
    ];
}

/// The versions of the API. They differ in names only (contract section 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// `v1`
    V1,
    /// `v1beta1`
    V1beta1,
}

impl ApiVersion {
    /// All versions, in the order of their stored numbers.
    pub const ALL: [Self; 2] = [Self::V1, Self::V1beta1];
}

/// An operation as it is stored. It lives as long as its parent, and at most
/// [`OPERATION_RETENTION`](crate::limits::OPERATION_RETENTION) after it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The id in its name, unique on the server.
    pub id: u64,
    /// What it hangs from.
    pub parent: OperationParent,
    /// What it does.
    pub kind: OperationKind,
    /// The version that it was started through. Who polls by a path of no version is answered in the types
    /// of this one: a client understands only those of its own.
    pub version: ApiVersion,
    /// Whether it has ended.
    pub done: bool,
    /// When it began.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// How far an operation is, with what it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not done.
    Pending,
    /// Done: the resource is gone.
    Deleted,
    /// Done: the session.
    Session(Session),
    /// Done: the engine.
    Engine(Engine),
}
