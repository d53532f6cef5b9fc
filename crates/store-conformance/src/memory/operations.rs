//! Operations in the tables.

use colloquy_sessions::Timestamp;
use colloquy_sessions::operation::Operation;
use colloquy_sessions::page::Page;
use colloquy_sessions::store::{NewOperation, OperationQuery, StoreResult};
use resource_names::{LocationName, OperationParent};

use super::cursor::{Scan, SortKey};
use super::tables::{OperationRow, Owner, Tables};
use crate::Seen;

impl Tables {
    pub(super) fn insert_operation(
        &mut self,
        new: NewOperation,
        parent: OperationParent,
        owner: Owner,
        done: bool,
    ) -> Operation {
        let operation = Operation {
            id: new.id,
            parent,
            kind: new.kind,
            version: new.version,
            done,
            create_time: new.time,
            update_time: new.time,
        };
        self.operations.insert(new.id, OperationRow { operation: operation.clone(), owner });
        operation
    }

    pub(super) fn get_operation(
        &self,
        location: &LocationName,
        id: u64,
        now: Timestamp,
    ) -> Option<Operation> {
        let row = self.operations.get(&id)?;
        let visible = row.operation.parent.location() == location && self.owner_is_live(row, Some(now));
        visible.then(|| row.operation.clone())
    }

    pub(super) fn list_operations(&self, query: &OperationQuery) -> StoreResult<Page<Operation>> {
        let rows = self
            .operations
            .values()
            .filter(|row| row.operation.parent == query.parent && self.owner_is_live(row, Some(query.now)))
            .map(|row| &row.operation)
            .filter(|operation| query.filter.as_ref().is_none_or(|filter| filter.matches(&Seen(*operation))))
            .map(|operation| {
                let numbers = vec![operation.create_time.0.into(), operation.id.into()];
                (SortKey { numbers, text: String::new() }, operation.clone())
            });
        Scan::new("operations", vec![true, true]).page(rows.collect(), query.after.as_ref(), query.limit)
    }

    /// There is no clock here: an expired session's operations are there until the session is swept.
    pub(super) fn delete_operation(&mut self, location: &LocationName, id: u64) -> bool {
        let there = self
            .operations
            .get(&id)
            .is_some_and(|row| row.operation.parent.location() == location && self.owner_is_live(row, None));
        there && self.operations.remove(&id).is_some()
    }

    fn owner_is_live(&self, row: &OperationRow, now: Option<Timestamp>) -> bool {
        match row.owner {
            Owner::Location => true,
            Owner::Engine(key) => self.engine_is_live(key),
            Owner::Session(key) => self.sessions.get(&key).is_some_and(|session| match now {
                Some(now) => self.session_is_live(session, now),
                None => self.session_is_kept(session),
            }),
        }
    }
}
