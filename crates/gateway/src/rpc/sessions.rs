//! Sessions and events.

use colloquy_contract::colloquy::v1 as ours;
use colloquy_contract::longrunning::Operation;
use colloquy_contract::v1beta1 as wire;
use colloquy_sessions::error::Result;
use colloquy_sessions::operation::{ApiVersion, Outcome};
use colloquy_sessions::request::RequestKey;
use colloquy_sessions::service::OperationStatus;

use super::{Api, list, mask_paths};
use crate::convert;

impl Api {
    pub(crate) async fn create_session(
        &self,
        version: ApiVersion,
        request: wire::CreateSessionRequest,
        key: Option<RequestKey>,
    ) -> Result<Operation> {
        let draft = request.session.map(convert::session::to_draft).transpose()?;
        let (session, operation) =
            self.service.create_session(version, &request.parent, &request.session_id, draft, key).await?;
        convert::operation::to_message(
            &OperationStatus { operation, outcome: Outcome::Session(session) },
            None,
        )
    }

    pub(crate) async fn get_session(&self, request: wire::GetSessionRequest) -> Result<wire::Session> {
        Ok(convert::session::to_message(&self.service.get_session(&request.name).await?))
    }

    pub(crate) async fn list_sessions(
        &self,
        request: wire::ListSessionsRequest,
    ) -> Result<wire::ListSessionsResponse> {
        let page = list(&request.filter, &request.order_by, request.page_size, &request.page_token);
        let listing = self.service.list_sessions(&request.parent, page).await?;
        Ok(wire::ListSessionsResponse {
            sessions: listing.items.iter().map(convert::session::to_message).collect(),
            next_page_token: listing.next_page_token,
        })
    }

    pub(crate) async fn update_session(&self, request: wire::UpdateSessionRequest) -> Result<wire::Session> {
        let session = request.session.unwrap_or_default();
        let name = session.name.clone();
        let changes = convert::session::to_changes(session, mask_paths(request.update_mask)?);
        Ok(convert::session::to_message(&self.service.update_session(&name, changes).await?))
    }

    pub(crate) async fn delete_session(
        &self,
        version: ApiVersion,
        request: wire::DeleteSessionRequest,
        key: Option<RequestKey>,
    ) -> Result<Operation> {
        let operation = self.service.delete_session(version, &request.name, key).await?;
        convert::operation::to_message(&OperationStatus { operation, outcome: Outcome::Deleted }, None)
    }

    pub(crate) async fn append_event(
        &self,
        request: wire::AppendEventRequest,
        key: Option<RequestKey>,
    ) -> Result<wire::AppendEventResponse> {
        // Before it is looked into: what is too large costs nothing more.
        self.service.check_event_size("event", request.event.as_ref().map_or(0, |event| event.len()))?;
        let draft = request.event.map(|event| convert::event::to_draft(event, "event")).transpose()?;
        self.service.append_event(&request.name, draft, key).await?;
        Ok(wire::AppendEventResponse {})
    }

    pub(crate) async fn append_events(
        &self,
        request: ours::BatchAppendEventsRequest,
        key: Option<RequestKey>,
    ) -> Result<ours::BatchAppendEventsResponse> {
        self.service.check_batch_size(request.events.len())?;
        let mut drafts = Vec::with_capacity(request.events.len());
        for (index, event) in request.events.into_iter().enumerate() {
            let field = format!("events[{index}]");
            self.service.check_event_size(&field, event.len())?;
            drafts.push(convert::event::to_draft(event, &field)?);
        }
        let names = self.service.append_events(&request.parent, drafts, key).await?;
        let events = names.iter().map(ToString::to_string).collect();
        Ok(ours::BatchAppendEventsResponse { events })
    }

    pub(crate) async fn list_events(
        &self,
        request: wire::ListEventsRequest,
    ) -> Result<wire::ListEventsResponse> {
        let page = list(&request.filter, &request.order_by, request.page_size, &request.page_token);
        let (session, listing) = self.service.list_events(&request.parent, page).await?;
        let prefix = format!("{session}/events/");
        Ok(wire::ListEventsResponse {
            session_events: listing
                .items
                .iter()
                .map(|event| convert::event::to_message(event, &prefix))
                .collect(),
            next_page_token: listing.next_page_token,
        })
    }
}
