//! Events in the tables.

use colloquy_sessions::event::Event;
use colloquy_sessions::page::Page;
use colloquy_sessions::store::{Append, Appended, EventQuery, StoreError, StoreResult};

use super::cursor::{Scan, SortKey};
use super::tables::{Tables, next_update_time};
use crate::Seen;

impl Tables {
    pub(super) fn append_events(&mut self, append: Append) -> StoreResult<Vec<Appended>> {
        let key = self.live_session(&append.session, append.now).ok_or(StoreError::SessionNotFound)?;
        let row = self.sessions.get(&key).ok_or(StoreError::SessionNotFound)?;
        let (engine, user_id) = (row.engine, row.session.user_id.clone());
        let asked = (engine, Some(key));
        self.check_request(asked, append.request.as_ref())?;
        let mut scopes = self.scopes(engine, &user_id, &row.own);
        for event in &append.events {
            scopes = scopes.changed(&event.delta, append.state_limit)?;
        }
        let own = self.keep_shared(engine, &user_id, scopes);
        self.record_request(asked, append.request);
        let row = self.sessions.get_mut(&key).ok_or(StoreError::SessionNotFound)?;
        row.own = own;
        let mut appended = Vec::with_capacity(append.events.len());
        for event in append.events {
            row.session.update_time = next_update_time(row.session.update_time, event.update_time);
            row.events.push(event);
            let sequence = row.events.len() as u64;
            appended.push(Appended { sequence, update_time: row.session.update_time });
        }
        Ok(appended)
    }

    pub(super) fn list_events(&self, query: &EventQuery) -> StoreResult<Page<Event>> {
        let key = self.live_session(&query.session, query.now).ok_or(StoreError::SessionNotFound)?;
        let row = self.sessions.get(&key).ok_or(StoreError::SessionNotFound)?;
        let rows = (1..)
            .zip(&row.events)
            .filter(|(_, event)| query.filter.as_ref().is_none_or(|filter| filter.matches(&Seen(*event))))
            .map(|(sequence, event)| {
                let numbers = vec![event.timestamp.0.into(), u64::into(sequence)];
                let payload = event.payload.clone();
                let event = Event { id: event.id, sequence, timestamp: event.timestamp, payload };
                (SortKey { numbers, text: String::new() }, event)
            });
        let scan = Scan::new("events", vec![query.descending, query.descending]);
        scan.page(rows.collect(), query.after.as_ref(), query.limit)
    }
}
