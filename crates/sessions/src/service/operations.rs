//! Operations: get, list, cancel, delete. Waiting is repeated getting, and left to those who own a timer.

use resource_names::{OperationName, OperationParent};

use super::{ListRequest, Listing, Service, engines, sessions, store_failure};
use crate::error::{Error, Result};
use crate::limits::PAGE_BYTES;
use crate::operation::{Operation, OperationKind, Outcome};
use crate::page::{self, Scan};
use crate::query;
use crate::store::{NewOperation, OperationQuery};

/// An operation, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationStatus {
    /// The operation, its parent in the form that was asked.
    pub operation: Operation,
    /// What it made so far. A create or an update shows the resource as it is now.
    pub outcome: Outcome,
}

impl NewOperation {
    /// The operation as it is when its write is done.
    pub(super) fn finished(self, parent: OperationParent) -> Operation {
        Operation {
            id: self.id,
            parent,
            kind: self.kind,
            version: self.version,
            done: true,
            create_time: self.time,
            update_time: self.time,
        }
    }
}

impl Service {
    /// One operation. At the location level every operation of the location can be asked for by its id
    /// alone: ADK Java does (contract section 7.5).
    pub async fn get_operation(&self, name: &str) -> Result<OperationStatus> {
        let asked = self.read_operation(name)?;
        let operation = self.find_operation(&asked).await?;
        self.operation_status(operation, &asked).await
    }

    /// The operations that hang directly from `parent`, newest first.
    pub async fn list_operations(
        &self,
        parent: &str,
        list: ListRequest<'_>,
    ) -> Result<Listing<OperationStatus>> {
        let asked = self.read_operation_parent(parent)?;
        let stored = self.settings.names.stored_parent(&asked);
        let mut limit = page::size(list.page_size)?;
        if let OperationParent::Engine(name) = &stored
            && let Some(engine) = self.store.get_engine(name).await.map_err(store_failure)?
        {
            // Each operation carries the whole engine: of large ones fewer fit on a page (AIP-158 allows it).
            limit = limit.min(PAGE_BYTES / engine.content.settings.len().max(1)).max(1);
        }
        let filter = query::operation_filter(list.filter)?;
        let parent = stored.to_string();
        let scan = Scan { list: "operations", parent: &parent, filter: list.filter, order_by: "" };
        let after = scan.cursor(list.page_token)?;
        let query = OperationQuery { parent: stored, filter, limit, after, now: self.clock.now() };
        let page = self.store.list_operations(query).await.map_err(store_failure)?;
        let mut items = Vec::with_capacity(page.items.len());
        for operation in page.items {
            let name = OperationName { parent: asked.clone(), operation: operation.id.to_string() };
            match self.operation_status(operation, &name).await {
                Ok(status) => items.push(status),
                // Its resource was deleted since the page was read: the operation is gone with it.
                Err(error) if error.code() == crate::error::Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Listing {
            items,
            next_page_token: page.next.map(|cursor| scan.token(&cursor)).unwrap_or_default(),
        })
    }

    /// Asks for an operation to be stopped. None of ours can be: those that are not done at once only free
    /// what is already invisible, so success is not promised (AIP-151) and nothing happens.
    pub async fn cancel_operation(&self, name: &str) -> Result<()> {
        let asked = self.read_operation(name)?;
        self.find_operation(&asked).await.map(|_| ())
    }

    /// Forgets an operation; what it does goes on (AIP-151).
    pub async fn delete_operation(&self, name: &str) -> Result<()> {
        let asked = self.read_operation(name)?;
        let operation = self.find_operation(&asked).await?;
        let location = self.settings.names.stored_location(asked.parent.location());
        match self.store.delete_operation(&location, operation.id).await.map_err(store_failure)? {
            true => Ok(()),
            false => Err(Error::operation_not_found(&asked)),
        }
    }

    async fn find_operation(&self, asked: &OperationName) -> Result<Operation> {
        let missing = || Error::operation_not_found(asked);
        let id: u64 = asked.operation.parse().map_err(|_| missing())?;
        // One id, one name: "+7" and "007" are not ways to write 7.
        if id.to_string() != asked.operation {
            return Err(missing());
        }
        let stored = self.settings.names.stored_parent(&asked.parent);
        let found = self.store.get_operation(stored.location(), id, self.clock.now()).await;
        let operation = found.map_err(store_failure)?.ok_or_else(missing)?;
        let by_id_alone = matches!(stored, OperationParent::Location(_));
        if by_id_alone || operation.parent == stored { Ok(operation) } else { Err(missing()) }
    }

    /// Adds what the operation made, and puts the names into the form that was asked.
    async fn operation_status(
        &self,
        mut operation: Operation,
        asked: &OperationName,
    ) -> Result<OperationStatus> {
        let location = asked.parent.location();
        let stored_parent = operation.parent.clone();
        operation.parent.location_mut().clone_from(location);
        let outcome = match (operation.done, operation.kind, &stored_parent) {
            (false, ..) => Outcome::Pending,
            (true, OperationKind::CreateSession, OperationParent::Session(name)) => {
                let session = self.store.get_session(name, self.clock.now()).await.map_err(store_failure)?;
                let session = session.ok_or_else(|| Error::operation_not_found(asked))?;
                Outcome::Session(sessions::as_asked(session, location))
            }
            (
                true,
                OperationKind::CreateEngine | OperationKind::UpdateEngine,
                OperationParent::Engine(name),
            ) => {
                let engine = self.store.get_engine(name).await.map_err(store_failure)?;
                let engine = engine.ok_or_else(|| Error::operation_not_found(asked))?;
                Outcome::Engine(engines::as_asked(engine, location))
            }
            (true, OperationKind::DeleteSession | OperationKind::DeleteEngine, _) => Outcome::Deleted,
            (true, kind, parent) => {
                return Err(Error::internal(format_args!("operation {kind:?} hangs from {parent}")));
            }
        };
        Ok(OperationStatus { operation, outcome })
    }
}
