//! Sessions in the tables.

use aip_filter::OrderTerm;
use colloquy_sessions::Timestamp;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::query::SessionOrder;
use colloquy_sessions::session::Session;
use colloquy_sessions::state::State;
use colloquy_sessions::store::{
    NewSession, SessionDeletion, SessionQuery, SessionUpdate, StoreError, StoreResult,
};
use resource_names::SessionName;

use super::cursor::{Scan, SortKey};
use super::state::Keys;
use super::tables::{Owner, SessionRow, Tables, next_update_time};
use crate::Seen;

impl Tables {
    pub(super) fn create_session(&mut self, new: NewSession) -> StoreResult<Session> {
        let engine = self.live_engine(&new.name.engine).ok_or(StoreError::EngineNotFound)?;
        let asked = (engine, None);
        self.check_request(asked, new.request.as_ref())?;
        if self.live_session(&new.name, new.create_time).is_some() {
            return Err(StoreError::AlreadyExists);
        }
        let scopes = self.scopes(engine, &new.user_id, &Keys::new()).changed(&new.state, new.state_limit)?;
        self.record_request(asked, new.request);
        // An expired session gives its name away.
        for row in self.sessions.values_mut().filter(|row| row.session.name == new.name) {
            row.deleted = true;
        }
        let mut session = Session {
            name: new.name,
            user_id: new.user_id,
            display_name: new.display_name,
            labels: new.labels,
            create_time: new.create_time,
            update_time: new.create_time,
            expire_time: new.expire_time,
            state: State::default(),
        };
        let own = self.keep_shared(engine, &session.user_id, scopes.clone());
        let row = SessionRow { engine, session: session.clone(), own, events: Vec::new(), deleted: false };
        let key = self.insert_session(row);
        self.insert_operation(new.operation, session.name.clone().into(), Owner::Session(key), true);
        session.state = scopes.merged();
        Ok(session)
    }

    pub(super) fn get_session(&self, name: &SessionName, now: Timestamp) -> Option<Session> {
        let key = self.live_session(name, now)?;
        self.sessions.get(&key).map(|row| self.complete(row))
    }

    pub(super) fn list_sessions(&self, query: &SessionQuery) -> StoreResult<Page<Session>> {
        let engine = self.live_engine(&query.engine).ok_or(StoreError::EngineNotFound)?;
        let rows = self
            .sessions
            .values()
            .filter(|row| row.engine == engine && self.session_is_live(row, query.now))
            .filter(|row| query.filter.as_ref().is_none_or(|filter| filter.matches(&Seen(&row.session))))
            .map(|row| (sort_key(&row.session, &query.order), self.complete(row)));
        let fields: Vec<_> = query.order.iter().map(|term| term.field).collect();
        let directions = query.order.iter().map(|term| term.descending).collect();
        let scan = Scan::new(&format!("sessions{fields:?}"), directions);
        scan.page(rows.collect(), query.after.as_ref(), query.limit)
    }

    pub(super) fn update_session(&mut self, update: SessionUpdate) -> StoreResult<Session> {
        let key = self.live_session(&update.name, update.now).ok_or(StoreError::SessionNotFound)?;
        let row = self.sessions.get_mut(&key).ok_or(StoreError::SessionNotFound)?;
        if update.user_id.is_some_and(|user_id| user_id != row.session.user_id) {
            return Err(StoreError::OtherUser);
        }
        if let Some(display_name) = update.display_name {
            row.session.display_name = display_name;
        }
        if let Some(labels) = update.labels {
            row.session.labels = labels;
        }
        if let Some(expire_time) = update.expire_time {
            row.session.expire_time = expire_time;
        }
        row.session.update_time = next_update_time(row.session.update_time, update.now);
        self.sessions.get(&key).map(|row| self.complete(row)).ok_or(StoreError::SessionNotFound)
    }

    pub(super) fn delete_session(&mut self, deletion: SessionDeletion) -> StoreResult<Operation> {
        let SessionDeletion { name, now, operation, request } = deletion;
        let engine = self.live_engine(&name.engine).ok_or(StoreError::SessionNotFound)?;
        let asked = (engine, None);
        self.check_request(asked, request.as_ref())?;
        let key = self.live_session(&name, now).ok_or(StoreError::SessionNotFound)?;
        self.record_request(asked, request);
        if let Some(row) = self.sessions.get_mut(&key) {
            row.deleted = true;
        }
        let parent = name.engine.location.into();
        Ok(self.insert_operation(operation, parent, Owner::Location, true))
    }

    /// The session with its merged state.
    fn complete(&self, row: &SessionRow) -> Session {
        let state = self.scopes(row.engine, &row.session.user_id, &row.own).merged();
        Session { state, ..row.session.clone() }
    }
}

fn sort_key(session: &Session, order: &[OrderTerm<SessionOrder>]) -> SortKey {
    let numbers = order.iter().map(|term| match term.field {
        SessionOrder::CreateTime => session.create_time.0.into(),
        SessionOrder::UpdateTime => session.update_time.0.into(),
    });
    SortKey { numbers: numbers.collect(), text: session.name.session.clone() }
}
