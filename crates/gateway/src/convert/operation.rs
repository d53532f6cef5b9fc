//! Operations: names, metadata and results, with type URLs of a version (contract section 2.5).

use colloquy_contract::longrunning::{self, operation::Result as OperationResult};
use colloquy_contract::v1beta1 as wire;
use colloquy_sessions::error::Result;
use colloquy_sessions::operation::{ApiVersion, Operation, OperationKind, Outcome};
use colloquy_sessions::service::OperationStatus;
use prost_types::Any;

use super::{engine, session, time, version};

/// An operation as it is answered, in the types of the version that was `asked`; where none was, of the
/// version that it was started through.
pub(crate) fn to_message(
    status: &OperationStatus,
    asked: Option<ApiVersion>,
) -> Result<longrunning::Operation> {
    let version = asked.unwrap_or(status.operation.version);
    let response = match &status.outcome {
        Outcome::Pending => None,
        Outcome::Deleted => {
            Some(Any { type_url: "type.googleapis.com/google.protobuf.Empty".into(), value: vec![] })
        }
        Outcome::Session(session) => Some(any(version, "Session", &session::to_message(session))),
        Outcome::Engine(engine) => Some(any(version, "ReasoningEngine", &engine::to_message(engine)?)),
    };
    let operation = &status.operation;
    Ok(longrunning::Operation {
        name: format!("{}/operations/{}", operation.parent, operation.id),
        metadata: Some(metadata(operation, version)),
        done: operation.done,
        result: response.map(OperationResult::Response),
    })
}

fn metadata(operation: &Operation, version: ApiVersion) -> Any {
    let generic_metadata = Some(wire::GenericOperationMetadata {
        create_time: Some(time::to_message(operation.create_time)),
        update_time: Some(time::to_message(operation.update_time)),
        ..Default::default()
    });
    match operation.kind {
        OperationKind::CreateSession => any(
            version,
            "CreateSessionOperationMetadata",
            &wire::CreateSessionOperationMetadata { generic_metadata },
        ),
        OperationKind::CreateEngine => any(
            version,
            "CreateReasoningEngineOperationMetadata",
            &wire::CreateReasoningEngineOperationMetadata { generic_metadata },
        ),
        OperationKind::UpdateEngine => any(
            version,
            "UpdateReasoningEngineOperationMetadata",
            &wire::UpdateReasoningEngineOperationMetadata { generic_metadata },
        ),
        OperationKind::DeleteSession | OperationKind::DeleteEngine => {
            any(version, "DeleteOperationMetadata", &wire::DeleteOperationMetadata { generic_metadata })
        }
    }
}

fn any(version: ApiVersion, message: &str, value: &impl prost::Message) -> Any {
    Any { type_url: version::type_url(version, message), value: value.encode_to_vec() }
}
