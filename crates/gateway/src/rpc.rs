//! The RPCs over messages: each is a conversion, a use case, a conversion. Both protocols call these.

mod engines;
mod operations;
mod request_id;
mod sessions;

pub(crate) use request_id::RequestIds;

use std::sync::Arc;

use bytes::Bytes;
use colloquy_sessions::error::Result;
use colloquy_sessions::operation::ApiVersion;
use colloquy_sessions::service::ListRequest;
use colloquy_sessions::{Error, Service};
use prost::Message;
use proto_json::{MessageId, Schema};

/// The RPCs that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    CreateReasoningEngine,
    GetReasoningEngine,
    ListReasoningEngines,
    UpdateReasoningEngine,
    DeleteReasoningEngine,
    CreateSession,
    GetSession,
    ListSessions,
    UpdateSession,
    DeleteSession,
    AppendEvent,
    BatchAppendEvents,
    ListEvents,
    GetOperation,
    ListOperations,
    WaitOperation,
    CancelOperation,
    DeleteOperation,
}

impl Rpc {
    /// The RPC of this name within its service.
    pub(crate) fn named(method: &str) -> Option<Self> {
        Some(match method {
            "CreateReasoningEngine" => Self::CreateReasoningEngine,
            "GetReasoningEngine" => Self::GetReasoningEngine,
            "ListReasoningEngines" => Self::ListReasoningEngines,
            "UpdateReasoningEngine" => Self::UpdateReasoningEngine,
            "DeleteReasoningEngine" => Self::DeleteReasoningEngine,
            "CreateSession" => Self::CreateSession,
            "GetSession" => Self::GetSession,
            "ListSessions" => Self::ListSessions,
            "UpdateSession" => Self::UpdateSession,
            "DeleteSession" => Self::DeleteSession,
            "AppendEvent" => Self::AppendEvent,
            "BatchAppendEvents" => Self::BatchAppendEvents,
            "ListEvents" => Self::ListEvents,
            "GetOperation" => Self::GetOperation,
            "ListOperations" => Self::ListOperations,
            "WaitOperation" => Self::WaitOperation,
            "CancelOperation" => Self::CancelOperation,
            "DeleteOperation" => Self::DeleteOperation,
            _ => return None,
        })
    }
}

/// A call's request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its wire bytes.
    pub(crate) message: Bytes,
    /// What they are.
    pub(crate) input: MessageId,
    /// The caller's id for it, where there is one.
    pub(crate) id: Option<String>,
}

/// More paths than any resource has fields.
const MAX_MASK_PATHS: usize = 128;

/// The RPCs over one service.
pub(crate) struct Api {
    pub(crate) service: Arc<Service>,
    pub(crate) schema: Arc<Schema>,
    /// The full form of an engine, for field masks.
    engine_message: MessageId,
}

impl Api {
    /// `None` where the schema lacks what the contract has: a defect of the build.
    pub(crate) fn new(service: Arc<Service>, schema: Arc<Schema>) -> Option<Self> {
        let engine_message = schema.message("google.cloud.aiplatform.v1beta1.ReasoningEngine")?;
        Some(Self { service, schema, engine_message })
    }

    /// Calls `rpc` with its request; gives the wire bytes of its response. `asked` is the version that the call
    /// is of, where it can be told.
    pub(crate) async fn call(
        &self,
        rpc: Rpc,
        asked: Option<ApiVersion>,
        request: Request,
    ) -> Result<Vec<u8>> {
        let key = self.request_key(rpc, &request)?;
        let request = request.message;
        // Calls of no version are about operations, and start none.
        let version = asked.unwrap_or(ApiVersion::V1beta1);
        match rpc {
            Rpc::CreateReasoningEngine => encode(self.create_engine(version, decode(request)?).await),
            Rpc::GetReasoningEngine => encode(self.get_engine(decode(request)?).await),
            Rpc::ListReasoningEngines => encode(self.list_engines(decode(request)?).await),
            Rpc::UpdateReasoningEngine => encode(self.update_engine(version, decode(request)?).await),
            Rpc::DeleteReasoningEngine => encode(self.delete_engine(version, decode(request)?).await),
            Rpc::CreateSession => encode(self.create_session(version, decode(request)?, key).await),
            Rpc::GetSession => encode(self.get_session(decode(request)?).await),
            Rpc::ListSessions => encode(self.list_sessions(decode(request)?).await),
            Rpc::UpdateSession => encode(self.update_session(decode(request)?).await),
            Rpc::DeleteSession => encode(self.delete_session(version, decode(request)?, key).await),
            Rpc::AppendEvent => encode(self.append_event(decode(request)?, key).await),
            Rpc::BatchAppendEvents => encode(self.append_events(decode(request)?, key).await),
            Rpc::ListEvents => encode(self.list_events(decode(request)?).await),
            Rpc::GetOperation => encode(self.get_operation(asked, decode(request)?).await),
            Rpc::ListOperations => encode(self.list_operations(asked, decode(request)?).await),
            Rpc::WaitOperation => encode(self.wait_operation(asked, decode(request)?).await),
            Rpc::CancelOperation => encode(self.cancel_operation(decode(request)?).await),
            Rpc::DeleteOperation => encode(self.delete_operation(decode(request)?).await),
        }
    }
}

fn decode<M: Message + Default>(request: Bytes) -> Result<M> {
    M::decode(request)
        .map_err(|problem| Error::unreadable(format!("The request is malformed: {problem}."), Vec::new()))
}

fn encode<M: Message>(response: Result<M>) -> Result<Vec<u8>> {
    response.map(|message| message.encode_to_vec())
}

/// The paths of a mask; none where there is no mask.
fn mask_paths(mask: Option<prost_types::FieldMask>) -> Result<Vec<String>> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    if paths.len() > MAX_MASK_PATHS {
        let description = format!("At most {MAX_MASK_PATHS} paths are allowed.");
        return Err(Error::field("update_mask", description));
    }
    Ok(paths)
}

/// What all list requests have in common.
fn list<'r>(filter: &'r str, order_by: &'r str, page_size: i32, page_token: &'r str) -> ListRequest<'r> {
    ListRequest { filter, order_by, page_size, page_token }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_of_the_contract_is_served() {
        for rule in colloquy_contract::HTTP_RULES {
            assert!(Rpc::named(rule.method).is_some(), "{} is not served", rule.rpc);
        }
    }
}
