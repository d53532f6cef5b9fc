//! Request ids (AIP-155): where they come from, and how the same request is told from another.

use colloquy_sessions::Error;
use colloquy_sessions::error::Result;
use colloquy_sessions::request::{Fingerprint, RequestKey};
use proto_json::PrintOptions;
use sha2::{Digest as _, Sha256};

use super::{Api, Request, Rpc, decode};
use crate::convert;

/// The header, and the metadata over gRPC, that names a write.
const HEADER: &str = "x-colloquy-request-id";
/// The same as a query parameter, in both spellings.
const PARAMETERS: [&str; 2] = ["requestId", "request_id"];

impl Rpc {
    /// Whether a caller may name the write, so as to send it again.
    pub(crate) fn takes_request_id(self) -> bool {
        matches!(
            self,
            Self::CreateSession | Self::DeleteSession | Self::AppendEvent | Self::BatchAppendEvents
        )
    }
}

/// Collects the ids that one request gives.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(Option<String>);

impl RequestIds {
    /// Takes the ids of all headers.
    pub(crate) fn add_headers(&mut self, headers: &http::HeaderMap) -> Result<()> {
        for value in headers.get_all(HEADER) {
            // What is no text is no id either, and is refused as such.
            self.add(&String::from_utf8_lossy(value.as_bytes()))?;
        }
        Ok(())
    }

    /// Takes the id out of a query's own parameters.
    pub(crate) fn take_parameters<T: AsRef<str>>(&mut self, parameters: &mut Vec<(T, T)>) -> Result<()> {
        let mut added = Ok(());
        parameters.retain(|(name, value)| {
            let is_id = PARAMETERS.contains(&name.as_ref());
            if is_id && added.is_ok() {
                added = self.add(value.as_ref());
            }
            !is_id
        });
        added
    }

    fn add(&mut self, id: &str) -> Result<()> {
        if self.0.as_ref().is_some_and(|known| known != id) {
            return Err(Error::field("request_id", "There is more than one request id."));
        }
        self.0 = Some(id.to_owned());
        Ok(())
    }

    /// The id, where there is one.
    pub(crate) fn one(self) -> Option<String> {
        self.0
    }
}

impl Api {
    /// How the caller names this write; an event's own id does where the server is set so and nothing else is said.
    pub(super) fn request_key(&self, rpc: Rpc, request: &Request) -> Result<Option<RequestKey>> {
        let id = match &request.id {
            Some(id) => Some(id.clone()),
            None if rpc == Rpc::AppendEvent && self.service.settings().raw_event_ids => {
                let append: colloquy_contract::v1beta1::AppendEventRequest = decode(request.message.clone())?;
                append.event.and_then(convert::event::raw_id)
            }
            None => None,
        };
        let Some(id) = id else { return Ok(None) };
        let key = RequestKey { id, fingerprint: self.fingerprint(request)? };
        match key.check() {
            Ok(()) => Ok(Some(key)),
            Err(error) if request.id.is_some() => Err(error),
            // Nobody asked for it to be one.
            Err(_) => Ok(None),
        }
    }

    /// A digest of all that is asked. Clients do not always write the same message in the same bytes (the order of
    /// maps is free), so it is taken of its JSON with sorted members.
    fn fingerprint(&self, request: &Request) -> Result<Fingerprint> {
        let mut json = Vec::with_capacity(request.message.len() * 2);
        let options = PrintOptions::default();
        proto_json::wire_to_json(&self.schema, request.input, &request.message, options, &mut json)
            .map_err(Error::internal)?;
        let mut value: serde_json::Value = serde_json::from_slice(&json).map_err(Error::internal)?;
        value.sort_all_objects();
        let sorted = serde_json::to_vec(&value).map_err(Error::internal)?;
        Ok(Sha256::digest(sorted).into())
    }
}
