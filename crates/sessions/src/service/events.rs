//! Events: append and list.

use resource_names::{EventName, SessionName};

use super::{ListRequest, Listing, Service, retries, store_failure};
use crate::error::{Error, Result, Violations};
use crate::event::{self, Event, EventDraft};
use crate::id::next_id;
use crate::limits::BATCH_EVENTS;
use crate::page::{self, Scan};
use crate::query;
use crate::request::RequestKey;
use crate::store::{Append, EventQuery, NewEvent, StoreError};
use crate::time::Timestamp;

impl Service {
    /// Appends an event and merges its delta; `None` where the request holds no event.
    ///
    /// Missing fields are found before the session is looked for, and a malformed name is answered without
    /// saying what is wrong, as on the live service (contract section 3.2).
    pub async fn append_event(
        &self,
        session: &str,
        draft: Option<EventDraft>,
        request: Option<RequestKey>,
    ) -> Result<()> {
        let draft = draft.ok_or_else(|| Error::field("event", "Required field is not set."))?;
        let mut violations = Violations::default();
        draft.check("event", &mut violations);
        violations.finish()?;
        let asked = self.read_session(session, |why| Error::invalid_argument(why))?;
        self.check_event_size("event", draft.payload.len())?;
        self.append(&asked, vec![draft], request, "event.actions.state_delta").await.map(drop)
    }

    /// Appends events in their order, all or nothing, and merges their deltas; gives their names.
    pub async fn append_events(
        &self,
        session: &str,
        drafts: Vec<EventDraft>,
        request: Option<RequestKey>,
    ) -> Result<Vec<EventName>> {
        let mut violations = Violations::default();
        violations.require("events", !drafts.is_empty());
        for (index, draft) in drafts.iter().enumerate() {
            draft.check(&format!("events[{index}]"), &mut violations);
        }
        violations.finish()?;
        self.check_batch_size(drafts.len())?;
        let asked = self.read_session(session, |_| Error::invalid_session_name("name"))?;
        for (index, draft) in drafts.iter().enumerate() {
            self.check_event_size(&format!("events[{index}]"), draft.payload.len())?;
        }
        let ids = self.append(&asked, drafts, request, "events").await?;
        Ok(ids.into_iter().map(|id| EventName { session: asked.clone(), event: id.to_string() }).collect())
    }

    /// Appends checked events to the session that was asked for; gives their ids. `field` names what made the
    /// state too large.
    async fn append(
        &self,
        asked: &SessionName,
        drafts: Vec<EventDraft>,
        request: Option<RequestKey>,
        field: &str,
    ) -> Result<Vec<u64>> {
        let now = self.clock.now();
        let events: Vec<NewEvent> = drafts.into_iter().map(|draft| self.new_event(draft, now)).collect();
        let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
        let request = match request {
            Some(key) => {
                key.check()?;
                Some(key.answered(retries::events_answer(&ids), now))
            }
            None => None,
        };
        let state_limit = self.settings.limits.state_bytes;
        let session = self.settings.names.stored_session(asked);
        match self.store.append_events(Append { session, events, state_limit, now, request }).await {
            Ok(_) => Ok(ids),
            Err(StoreError::Repeated(answer)) => retries::read_events_answer(answer),
            Err(StoreError::SessionNotFound) => Err(self.session_missing(asked).await),
            Err(StoreError::StateTooLarge { bytes }) => {
                Err(Error::state_too_large(field, bytes, state_limit))
            }
            Err(error) => Err(store_failure(error)),
        }
    }

    fn new_event(&self, draft: EventDraft, now: Timestamp) -> NewEvent {
        let timestamp = draft.timestamp.unwrap_or_default();
        NewEvent {
            id: next_id(&*self.ids),
            timestamp,
            author: draft.author,
            invocation_id: draft.invocation_id,
            delta: draft.delta,
            payload: draft.payload,
            update_time: event::update_time(now, timestamp),
        }
    }

    /// Refuses an event of so many bytes where it is too large.
    pub fn check_event_size(&self, field: &str, bytes: usize) -> Result<()> {
        let limit = self.settings.limits.event_bytes;
        if bytes > limit { Err(Error::event_too_large(field, bytes, limit)) } else { Ok(()) }
    }

    /// Refuses a batch of so many events where they are too many.
    pub fn check_batch_size(&self, events: usize) -> Result<()> {
        if events > BATCH_EVENTS {
            let description = format!("There are {events} events; at most {BATCH_EVENTS} are allowed.");
            return Err(Error::field("events", description));
        }
        Ok(())
    }

    /// The events of a session, with the name that was asked.
    pub async fn list_events(
        &self,
        parent: &str,
        list: ListRequest<'_>,
    ) -> Result<(SessionName, Listing<Event>)> {
        let asked = self.read_session(parent, |why| Error::invalid_argument(why))?;
        let session = self.settings.names.stored_session(&asked);
        let limit = page::size(list.page_size)?;
        let filter = query::event_filter(list.filter)?;
        let descending = query::event_order_is_descending(list.order_by)?;
        let parent = session.to_string();
        let scan = Scan { list: "events", parent: &parent, filter: list.filter, order_by: list.order_by };
        let after = scan.cursor(list.page_token)?;
        let query = EventQuery { session, filter, descending, limit, after, now: self.clock.now() };
        match self.store.list_events(query).await {
            Ok(page) => {
                let next_page_token = page.next.map(|cursor| scan.token(&cursor)).unwrap_or_default();
                Ok((asked, Listing { items: page.items, next_page_token }))
            }
            Err(StoreError::SessionNotFound) => Err(self.session_missing(&asked).await),
            Err(error) => Err(store_failure(error)),
        }
    }
}
