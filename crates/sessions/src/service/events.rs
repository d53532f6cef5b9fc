//! Events: append and list.

use resource_names::SessionName;

use super::{ListRequest, Listing, Service, store_failure};
use crate::error::{Error, Result};
use crate::event::{self, Event, EventDraft};
use crate::id::next_id;
use crate::page::{self, Scan};
use crate::query;
use crate::store::{Appended, EventQuery, NewEvent, StoreError};

impl Service {
    /// Appends an event and merges its delta; `None` where the request holds no event.
    ///
    /// Missing fields are found before the session is looked for, and a malformed name is answered without
    /// saying what is wrong, as on the live service (contract section 3.2).
    pub async fn append_event(&self, session: &str, draft: Option<EventDraft>) -> Result<Appended> {
        let draft = draft.ok_or_else(|| Error::field("event", "Required field is not set."))?;
        draft.check()?;
        let timestamp = draft.timestamp.unwrap_or_default();
        let asked = self.read_session(session, |why| Error::invalid_argument(why))?;
        let limits = &self.settings.limits;
        self.check_event_size(draft.payload.len())?;
        let now = self.clock.now();
        let event = NewEvent {
            session: self.settings.names.stored_session(&asked),
            id: next_id(&*self.ids),
            timestamp,
            author: draft.author,
            invocation_id: draft.invocation_id,
            delta: draft.delta,
            state_limit: limits.state_bytes,
            payload: draft.payload,
            update_time: event::update_time(now, timestamp),
            now,
        };
        match self.store.append_event(event).await {
            Ok(appended) => Ok(appended),
            Err(StoreError::SessionNotFound) => Err(self.session_missing(&asked).await),
            Err(StoreError::StateTooLarge { bytes }) => {
                Err(Error::state_too_large("event.actions.state_delta", bytes, limits.state_bytes))
            }
            Err(error) => Err(store_failure(error)),
        }
    }

    /// Refuses an event of so many bytes where it is too large.
    pub fn check_event_size(&self, bytes: usize) -> Result<()> {
        let limit = self.settings.limits.event_bytes;
        if bytes > limit { Err(Error::event_too_large(bytes, limit)) } else { Ok(()) }
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
