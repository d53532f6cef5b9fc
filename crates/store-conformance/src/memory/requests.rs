//! Requests in the tables.

use colloquy_sessions::Timestamp;
use colloquy_sessions::request::Request;
use colloquy_sessions::store::{Progress, StoreError, StoreResult};

use super::tables::{EngineKey, SessionKey, Tables};

/// Whose request it is: the engine's, or one session's.
pub(super) type Asked = (EngineKey, Option<SessionKey>);

impl Tables {
    /// Refuses a request that was carried out before, or whose id was used for another.
    pub(super) fn check_request(&self, asked: Asked, request: Option<&Request>) -> StoreResult<()> {
        let Some(request) = request else { return Ok(()) };
        let recorded = self.requests.get(&(asked, request.key.id.clone()));
        match recorded.filter(|recorded| recorded.time >= request.known_since) {
            None => Ok(()),
            Some(recorded) if recorded.key.fingerprint == request.key.fingerprint => {
                Err(StoreError::Repeated(recorded.answer.clone()))
            }
            Some(_) => Err(StoreError::RequestIdTaken),
        }
    }

    pub(super) fn record_request(&mut self, asked: Asked, request: Option<Request>) {
        if let Some(request) = request {
            self.requests.insert((asked, request.key.id.clone()), request);
        }
    }

    pub(super) fn sweep_requests(&mut self, recorded_before: Timestamp, limit: usize) -> Progress {
        let old = self.requests.iter().filter(|(_, request)| request.time < recorded_before);
        let keys: Vec<_> = old.map(|(key, _)| key.clone()).collect();
        for key in keys.iter().take(limit) {
            self.requests.remove(key);
        }
        Progress { rows: keys.len().min(limit), more: keys.len() > limit }
    }
}
