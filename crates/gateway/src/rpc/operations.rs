//! Operations.

use std::time::Duration;

use colloquy_contract::longrunning as wire;
use colloquy_sessions::error::Result;
use colloquy_sessions::operation::ApiVersion;
use tokio::time::Instant;

use super::{Api, list};
use crate::convert;

/// How long a wait lasts that names no timeout, and the longest that any wait lasts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How soon a wait looks again; it looks less and less often.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const SELDOM_LOOK: Duration = Duration::from_millis(500);

impl Api {
    pub(crate) async fn get_operation(
        &self,
        asked: Option<ApiVersion>,
        request: wire::GetOperationRequest,
    ) -> Result<wire::Operation> {
        convert::operation::to_message(&self.service.get_operation(&request.name).await?, asked)
    }

    pub(crate) async fn list_operations(
        &self,
        asked: Option<ApiVersion>,
        request: wire::ListOperationsRequest,
    ) -> Result<wire::ListOperationsResponse> {
        let page = list(&request.filter, "", request.page_size, &request.page_token);
        let listing = self.service.list_operations(&request.name, page).await?;
        let to_message = |status| convert::operation::to_message(status, asked);
        Ok(wire::ListOperationsResponse {
            operations: listing.items.iter().map(to_message).collect::<Result<_>>()?,
            next_page_token: listing.next_page_token,
            unreachable: Vec::new(),
        })
    }

    /// Answers when the operation is done or the time is over, with the operation as it is then.
    pub(crate) async fn wait_operation(
        &self,
        asked: Option<ApiVersion>,
        request: wire::WaitOperationRequest,
    ) -> Result<wire::Operation> {
        let patience = request.timeout.map(|timeout| Duration::try_from(timeout).unwrap_or(Duration::ZERO));
        let until = Instant::now() + patience.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        let mut pause = FIRST_LOOK;
        loop {
            let status = self.service.get_operation(&request.name).await?;
            let now = Instant::now();
            if status.operation.done || now >= until {
                return convert::operation::to_message(&status, asked);
            }
            tokio::time::sleep_until(until.min(now + pause)).await;
            pause = (pause * 2).min(SELDOM_LOOK);
        }
    }

    pub(crate) async fn cancel_operation(&self, request: wire::CancelOperationRequest) -> Result<()> {
        self.service.cancel_operation(&request.name).await
    }

    pub(crate) async fn delete_operation(&self, request: wire::DeleteOperationRequest) -> Result<()> {
        self.service.delete_operation(&request.name).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use colloquy_contract::v1beta1;
    use colloquy_sessions::id::{IdSource, SessionIdRule};
    use colloquy_sessions::limits::Limits;
    use colloquy_sessions::service::{NameRules, Settings};
    use colloquy_sessions::{Clock, Service, Timestamp};
    use colloquy_store_conformance::MemoryStore;
    use proto_json::Schema;

    use super::*;
    use crate::rpc::Rpc;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp(1_767_225_600_000_000)
        }

        fn steady(&self) -> Duration {
            Duration::ZERO
        }
    }

    struct Counting(std::sync::atomic::AtomicU64);

    impl IdSource for Counting {
        fn random(&self) -> u64 {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
        }
    }

    fn api() -> Api {
        let express = resource_names::LocationName { project: "p".into(), location: "l".into() };
        let settings = Settings {
            names: NameRules { express, project_numbers: Default::default() },
            session_ids: SessionIdRule::Published,
            limits: Limits::default(),
            auto_create_engines: false,
            raw_event_ids: false,
        };
        let ids = Arc::new(Counting(Default::default()));
        let service = Service::new(Arc::new(MemoryStore::new()), Arc::new(Still), ids, settings);
        let schema = Schema::from_descriptor_set(colloquy_contract::DESCRIPTOR_SET).unwrap();
        Api::new(Arc::new(service), Arc::new(schema)).unwrap()
    }

    async fn call(api: &Api, rpc: Rpc, request: impl prost::Message) -> wire::Operation {
        let input = api.schema.message("google.rpc.Status").unwrap();
        let request = crate::rpc::Request { message: Bytes::from(request.encode_to_vec()), input, id: None };
        let answer = api.call(rpc, Some(ApiVersion::V1), request).await;
        prost::Message::decode(answer.unwrap().as_slice()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_its_timeout_or_with_the_operation() {
        let api = api();
        let engine = v1beta1::CreateReasoningEngineRequest {
            parent: "projects/p/locations/l".into(),
            reasoning_engine: Some(Default::default()),
        };
        let made = call(&api, Rpc::CreateReasoningEngine, engine).await;
        let name = made.name.split("/operations/").next().unwrap().to_owned();
        let session = v1beta1::Session { user_id: "u".into(), ..Default::default() };
        let session = v1beta1::CreateSessionRequest {
            parent: name.clone(),
            session: Some(session),
            session_id: String::new(),
        };
        call(&api, Rpc::CreateSession, session).await;
        let delete = v1beta1::DeleteReasoningEngineRequest { name, force: true };
        let deletion = call(&api, Rpc::DeleteReasoningEngine, delete).await;
        assert!(!deletion.done);

        let wait = |timeout| wire::WaitOperationRequest { name: deletion.name.clone(), timeout };
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        // The longest wait is ours to set, and no wait is longer; a negative one is none.
        for (timeout, waited) in
            [(seconds(5), 5), (seconds(0), 0), (seconds(-5), 0), (seconds(600), 60), (None, 60)]
        {
            let begun = Instant::now();
            assert!(!call(&api, Rpc::WaitOperation, wait(timeout)).await.done);
            assert_eq!(begun.elapsed().as_secs(), waited);
        }
        let purge = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            while api.service.upkeep().await.unwrap().more {}
        };
        let begun = Instant::now();
        let (ended, ()) = tokio::join!(call(&api, Rpc::WaitOperation, wait(None)), purge);
        assert!(ended.done);
        assert!(begun.elapsed() < Duration::from_secs(4));
    }
}
