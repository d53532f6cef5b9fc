//! Engines.

use colloquy_contract::longrunning::Operation;
use colloquy_contract::v1beta1 as wire;
use colloquy_sessions::Error;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::error::Result;
use colloquy_sessions::operation::{ApiVersion, Outcome};
use colloquy_sessions::service::OperationStatus;
use prost::Message as _;

use super::{Api, list, mask_paths};
use crate::convert;

/// Paths of a mask that name what the server writes: ignored (AIP-203, AIP-161).
const OUTPUT_ONLY: &[&str] = &["name", "create_time", "update_time", "etag"];

impl Api {
    pub(crate) async fn create_engine(
        &self,
        version: ApiVersion,
        request: wire::CreateReasoningEngineRequest,
    ) -> Result<Operation> {
        let content = request.reasoning_engine.map(convert::engine::to_content);
        let (engine, operation) = self.service.create_engine(version, &request.parent, content).await?;
        convert::operation::to_message(&OperationStatus { operation, outcome: Outcome::Engine(engine) }, None)
    }

    pub(crate) async fn get_engine(
        &self,
        request: wire::GetReasoningEngineRequest,
    ) -> Result<wire::ReasoningEngine> {
        convert::engine::to_message(&self.service.get_engine(&request.name).await?)
    }

    pub(crate) async fn list_engines(
        &self,
        request: wire::ListReasoningEnginesRequest,
    ) -> Result<wire::ListReasoningEnginesResponse> {
        let page = list(&request.filter, "", request.page_size, &request.page_token);
        let listing = self.service.list_engines(&request.parent, page).await?;
        Ok(wire::ListReasoningEnginesResponse {
            reasoning_engines: listing
                .items
                .iter()
                .map(convert::engine::to_message)
                .collect::<Result<_>>()?,
            next_page_token: listing.next_page_token,
        })
    }

    pub(crate) async fn update_engine(
        &self,
        version: ApiVersion,
        request: wire::UpdateReasoningEngineRequest,
    ) -> Result<Operation> {
        let patch = request.reasoning_engine.unwrap_or_default();
        let paths = mask_paths(request.update_mask)?;
        let edit = |current: &Engine| self.edited(current, &patch, &paths);
        let (engine, operation) =
            self.service.update_engine(version, &patch.name, &patch.etag, &edit).await?;
        convert::operation::to_message(&OperationStatus { operation, outcome: Outcome::Engine(engine) }, None)
    }

    /// The content of `current` with the fields of `patch` that `paths` name; without paths those that are
    /// set (AIP-134).
    fn edited(
        &self,
        current: &Engine,
        patch: &wire::ReasoningEngine,
        paths: &[String],
    ) -> Result<EngineContent> {
        let base = convert::engine::to_message(current)?.encode_to_vec();
        let written = wire::ReasoningEngine { name: String::new(), etag: String::new(), ..patch.clone() };
        let patch = written.encode_to_vec();
        let merged = if paths.is_empty() {
            let set = proto_json::set_fields(&self.schema, self.engine_message, &patch);
            proto_json::merge_with_mask(&self.schema, self.engine_message, &base, &patch, &set)
        } else {
            let paths: Vec<_> =
                paths.iter().map(String::as_str).filter(|path| !OUTPUT_ONLY.contains(path)).collect();
            proto_json::merge_with_mask(&self.schema, self.engine_message, &base, &patch, &paths)
        };
        let merged = merged.map_err(|unknown| {
            Error::field(
                "update_mask",
                format!("The path \"{}\" is not a field of ReasoningEngine.", unknown.path),
            )
        })?;
        let merged = wire::ReasoningEngine::decode(merged.as_slice()).map_err(Error::internal)?;
        Ok(convert::engine::to_content(merged))
    }

    pub(crate) async fn delete_engine(
        &self,
        version: ApiVersion,
        request: wire::DeleteReasoningEngineRequest,
    ) -> Result<Operation> {
        let operation = self.service.delete_engine(version, &request.name, request.force).await?;
        let outcome = if operation.done { Outcome::Deleted } else { Outcome::Pending };
        convert::operation::to_message(&OperationStatus { operation, outcome }, None)
    }
}
