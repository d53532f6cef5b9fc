//! Engines.

use colloquy_contract::v1beta1 as wire;
use colloquy_sessions::Error;
use colloquy_sessions::engine::{Engine, EngineContent};
use colloquy_sessions::error::Result;
use prost::Message as _;

use super::time;

/// An engine as it is answered.
pub(crate) fn to_message(engine: &Engine) -> Result<wire::ReasoningEngine> {
    let content = &engine.content;
    let settings = wire::ReasoningEngine::decode(content.settings.clone())
        .map_err(|problem| Error::internal(format_args!("stored engine {}: {problem}", engine.name)))?;
    Ok(wire::ReasoningEngine {
        name: engine.name.to_string(),
        display_name: content.display_name.clone(),
        description: content.description.clone(),
        labels: content.labels.clone().into_iter().collect(),
        create_time: Some(time::to_message(engine.create_time)),
        update_time: Some(time::to_message(engine.update_time)),
        etag: engine.etag(),
        ..settings
    })
}

/// What the caller says of an engine. Output-only fields are ignored (AIP-203); all fields without a
/// meaning of their own here are kept as they are.
pub(crate) fn to_content(message: wire::ReasoningEngine) -> EngineContent {
    let wire::ReasoningEngine { display_name, description, labels, .. } = message.clone();
    let settings = wire::ReasoningEngine {
        name: String::new(),
        display_name: String::new(),
        description: String::new(),
        labels: Default::default(),
        create_time: None,
        update_time: None,
        etag: String::new(),
        ..message
    };
    EngineContent {
        display_name,
        description,
        labels: labels.into_iter().collect(),
        settings: settings.encode_to_vec().into(),
    }
}
