//! Upkeep of the tables.

use colloquy_sessions::Timestamp;
use colloquy_sessions::store::Progress;

use super::tables::{EngineKey, Owner, SessionKey, Tables};

impl Tables {
    pub(super) fn expire_sessions(&mut self, now: Timestamp, limit: usize) -> Progress {
        let kept = self.sessions.iter().filter(|(_, row)| self.session_is_kept(row));
        let due: Vec<_> =
            kept.filter(|(_, row)| row.session.expire_time <= now).map(|(key, _)| *key).collect();
        for key in due.iter().take(limit) {
            if let Some(row) = self.sessions.get_mut(key) {
                row.deleted = true;
            }
        }
        Progress { rows: due.len().min(limit), more: due.len() > limit }
    }

    pub(super) fn sweep_operations(&mut self, ended_before: Timestamp, limit: usize) -> Progress {
        let ended = self.operations.values().map(|row| &row.operation);
        let ended = ended.filter(|operation| operation.done && operation.update_time < ended_before);
        let ids: Vec<_> = ended.map(|operation| operation.id).collect();
        for id in ids.iter().take(limit) {
            self.operations.remove(id);
        }
        Progress { rows: ids.len().min(limit), more: ids.len() > limit }
    }

    /// Sessions go first, event by event; an engine goes when it has no sessions.
    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> Progress {
        let mut rows = 0;
        while rows < limit {
            if let Some(key) = self.dead_session() {
                rows += self.purge_session(key, limit - rows);
            } else if let Some(key) = self.dead_engine() {
                rows += self.purge_engine(key, now);
            } else {
                break;
            }
        }
        Progress { rows, more: self.dead_session().is_some() || self.dead_engine().is_some() }
    }

    fn dead_session(&self) -> Option<SessionKey> {
        let dead = self.sessions.iter().find(|(_, row)| row.deleted || !self.engine_is_live(row.engine));
        dead.map(|(key, _)| *key)
    }

    fn dead_engine(&self) -> Option<EngineKey> {
        self.engines.iter().find(|(_, row)| row.deleted_by.is_some()).map(|(key, _)| *key)
    }

    /// Frees events up to `budget`, then requests; with none left, the session and its operations.
    fn purge_session(&mut self, key: SessionKey, budget: usize) -> usize {
        let Some(row) = self.sessions.get_mut(&key) else { return 0 };
        if !row.events.is_empty() {
            let freed = row.events.len().min(budget);
            row.deleted = true;
            row.events.truncate(row.events.len() - freed);
            return freed;
        }
        let of_session = self.requests.keys().filter(|((_, session), _)| *session == Some(key));
        let requests: Vec<_> = of_session.take(budget).cloned().collect();
        for request in &requests {
            self.requests.remove(request);
        }
        if !requests.is_empty() {
            return requests.len();
        }
        self.sessions.remove(&key);
        let before = self.operations.len();
        self.operations.retain(|_, row| !matches!(row.owner, Owner::Session(owner) if owner == key));
        1 + before - self.operations.len()
    }

    fn purge_engine(&mut self, key: EngineKey, now: Timestamp) -> usize {
        let Some(row) = self.engines.remove(&key) else { return 0 };
        let before = self.operations.len() + self.user_states.len();
        self.operations.retain(|_, row| !matches!(row.owner, Owner::Engine(owner) if owner == key));
        self.user_states.retain(|(owner, _), _| *owner != key);
        self.app_states.remove(&key);
        self.requests.retain(|((engine, _), _), _| *engine != key);
        let deletion = row.deleted_by.and_then(|id| self.operations.get_mut(&id));
        if let Some(row) = deletion.filter(|row| !row.operation.done) {
            row.operation.done = true;
            row.operation.update_time = now;
        }
        1 + before - self.operations.len() - self.user_states.len()
    }
}
