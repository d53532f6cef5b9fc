//! Engines: create, get, list, update, delete.

use resource_names::{EngineName, LocationName};

use super::{ListRequest, Listing, Service, store_failure};
use crate::engine::{Engine, EngineContent};
use crate::error::{Error, Result};
use crate::id::next_id;
use crate::operation::{ApiVersion, Operation, OperationKind};
use crate::page::{self, Scan};
use crate::query;
use crate::store::{EngineDeletion, EngineQuery, EngineUpdate, NewEngine, StoreError};

/// How often an update starts over because another came between.
const UPDATE_ATTEMPTS: usize = 16;

/// Makes the new content out of the stored engine; called again where another update came between.
pub type EngineEdit<'a> = &'a (dyn Fn(&Engine) -> Result<EngineContent> + Send + Sync);

impl Service {
    /// Creates an engine under `parent` with an id of ours; `None` where the request holds no engine.
    pub async fn create_engine(
        &self,
        version: ApiVersion,
        parent: &str,
        content: Option<EngineContent>,
    ) -> Result<(Engine, Operation)> {
        let asked = self.read_location(parent)?;
        let content =
            content.ok_or_else(|| Error::field("reasoning_engine", "Required field is not set."))?;
        content.check()?;
        let name = EngineName {
            location: self.settings.names.stored_location(&asked),
            engine: next_id(&*self.ids).to_string(),
        };
        let now = self.clock.now();
        let operation = self.new_operation(OperationKind::CreateEngine, version, now);
        let new = NewEngine { name, content, create_time: now, operation: Some(operation) };
        let engine = self.store.create_engine(new).await.map_err(store_failure)?;
        let engine = as_asked(engine, &asked);
        let operation = operation.finished(engine.name.clone().into());
        Ok((engine, operation))
    }

    /// One engine.
    pub async fn get_engine(&self, name: &str) -> Result<Engine> {
        let asked = self.read_engine(name, "name")?;
        let stored = self.settings.names.stored_engine(&asked);
        let engine = match self.store.get_engine(&stored).await.map_err(store_failure)? {
            Some(engine) => engine,
            None if self.settings.auto_create_engines => self.spring_up(stored).await?,
            None => return Err(Error::engine_not_found()),
        };
        Ok(as_asked(engine, &asked.location))
    }

    /// The engines of a location, newest first.
    pub async fn list_engines(&self, parent: &str, list: ListRequest<'_>) -> Result<Listing<Engine>> {
        let asked = self.read_location(parent)?;
        let location = self.settings.names.stored_location(&asked);
        let limit = page::size(list.page_size)?;
        let filter = query::engine_filter(list.filter)?;
        let scan = Scan { list: "engines", parent: &location.to_string(), filter: list.filter, order_by: "" };
        let after = scan.cursor(list.page_token)?;
        let page = self.store.list_engines(EngineQuery { location, filter, limit, after }).await;
        let page = page.map_err(store_failure)?;
        Ok(Listing {
            next_page_token: page.next.map(|cursor| scan.token(&cursor)).unwrap_or_default(),
            items: page.items.into_iter().map(|engine| as_asked(engine, &asked)).collect(),
        })
    }

    /// Replaces the content of an engine by what `edit` makes of it. A non-empty `etag` must be the
    /// stored engine's (AIP-154).
    pub async fn update_engine(
        &self,
        version: ApiVersion,
        name: &str,
        etag: &str,
        edit: EngineEdit<'_>,
    ) -> Result<(Engine, Operation)> {
        let asked = self.read_engine(name, "reasoning_engine.name")?;
        let stored = self.settings.names.stored_engine(&asked);
        for _ in 0..UPDATE_ATTEMPTS {
            let current = self.store.get_engine(&stored).await.map_err(store_failure)?;
            let current = current.ok_or_else(Error::engine_not_found)?;
            current.check_etag(etag, &asked)?;
            let content = edit(&current)?;
            content.check()?;
            let now = self.clock.now();
            let operation = self.new_operation(OperationKind::UpdateEngine, version, now);
            let update = EngineUpdate {
                name: stored.clone(),
                revision: current.revision,
                create_time: current.create_time,
                content,
                update_time: now,
                operation,
            };
            match self.store.update_engine(update).await {
                Err(StoreError::RevisionChanged) => {}
                Err(error) => return Err(store_failure(error)),
                Ok(engine) => {
                    let engine = as_asked(engine, &asked.location);
                    let operation = operation.finished(engine.name.clone().into());
                    return Ok((engine, operation));
                }
            }
        }
        Err(Error::contended(&asked))
    }

    /// Deletes an engine, with its sessions where `force` says so. The operation is done when the
    /// purge is.
    pub async fn delete_engine(&self, version: ApiVersion, name: &str, force: bool) -> Result<Operation> {
        let asked = self.read_engine(name, "name")?;
        let now = self.clock.now();
        let operation = self.new_operation(OperationKind::DeleteEngine, version, now);
        let name = self.settings.names.stored_engine(&asked);
        match self.store.delete_engine(EngineDeletion { name, force, now, operation }).await {
            Ok(operation) => Ok(Operation { parent: asked.location.into(), ..operation }),
            Err(StoreError::HasSessions) => Err(Error::engine_has_sessions(&asked)),
            Err(error) => Err(store_failure(error)),
        }
    }

    /// Makes sure that an engine exists before a session is made or listed in it, where the server
    /// is set to. Costs a read only on the way to an error.
    pub(super) async fn spring_up(&self, stored: EngineName) -> Result<Engine> {
        let new = NewEngine {
            name: stored.clone(),
            content: EngineContent::default(),
            create_time: self.clock.now(),
            operation: None,
        };
        match self.store.create_engine(new).await {
            Ok(engine) => Ok(engine),
            // Another request was first.
            Err(StoreError::AlreadyExists) => {
                let engine = self.store.get_engine(&stored).await.map_err(store_failure)?;
                engine.ok_or_else(Error::engine_not_found)
            }
            Err(error) => Err(store_failure(error)),
        }
    }
}

/// The engine under the name that was asked.
pub(super) fn as_asked(mut engine: Engine, asked: &LocationName) -> Engine {
    engine.name.location.clone_from(asked);
    engine
}
