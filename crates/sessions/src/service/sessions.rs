//! Sessions: create, get, list, update, delete.

use bytes::Bytes;
use resource_names::{EngineName, LocationName, SessionName};

use super::{ListRequest, Listing, Service, retries, store_failure};
use crate::error::{Error, Result, Violations};
use crate::id::next_id;
use crate::labels::{self, Labels};
use crate::limits::{DISPLAY_NAME_CHARS, USER_ID_CHARS};
use crate::operation::{ApiVersion, Operation, OperationKind};
use crate::page::{self, Scan};
use crate::query;
use crate::request::{Request, RequestKey};
use crate::session::{Expiration, Session};
use crate::state::StateDelta;
use crate::store::{NewOperation, NewSession, SessionDeletion, SessionQuery, SessionUpdate, StoreError};

/// A session to be created.
#[derive(Clone, Debug, Default)]
pub struct SessionDraft {
    /// Whose it is; required.
    pub user_id: String,
    /// For people.
    pub display_name: String,
    /// Key-value pairs.
    pub labels: Labels,
    /// When it ends; in a year where nothing is said.
    pub expiration: Option<Expiration>,
    /// The initial state, in all scopes.
    pub state: StateDelta,
}

/// The fields that an update may name (contract section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionField {
    /// `display_name`
    DisplayName,
    /// `labels`
    Labels,
    /// `ttl` or `expire_time`
    Expiration,
}

/// What an update asks for: the fields named by its mask, and the session as it was sent.
#[derive(Clone, Debug, Default)]
pub struct SessionChanges {
    /// The paths of the mask; empty for all fields that are set (AIP-134).
    pub mask: Vec<String>,
    /// The new display name.
    pub display_name: String,
    /// The new labels.
    pub labels: Labels,
    /// The new end.
    pub expiration: Option<Expiration>,
    /// Whether a state was sent.
    pub has_state: bool,
    /// The user id that was sent; empty where none was.
    pub user_id: String,
}

impl Service {
    /// Creates a session under `parent`; `session_id` is empty where the server is to choose; `None`
    /// where the request holds no session. The session that is returned is complete.
    pub async fn create_session(
        &self,
        version: ApiVersion,
        parent: &str,
        session_id: &str,
        draft: Option<SessionDraft>,
        request: Option<RequestKey>,
    ) -> Result<(Session, Operation)> {
        let engine = self.read_engine(parent, "parent")?;
        let now = self.clock.now();
        let (draft, expire_time) = self.check_draft(session_id, draft, now)?;
        let id = if session_id.is_empty() { next_id(&*self.ids).to_string() } else { session_id.to_owned() };
        let asked = SessionName { engine, session: id };
        let name = self.settings.names.stored_session(&asked);
        let operation = self.new_operation(OperationKind::CreateSession, version, now);
        let request = recorded(request, &operation, &name)?;
        let new = NewSession {
            name: name.clone(),
            user_id: draft.user_id,
            display_name: draft.display_name,
            labels: draft.labels,
            create_time: now,
            expire_time,
            state: draft.state,
            state_limit: self.settings.limits.state_bytes,
            operation,
            request,
        };
        let mut created = self.store.create_session(new.clone()).await;
        if created == Err(StoreError::EngineNotFound) && self.settings.auto_create_engines {
            self.spring_up(name.engine.clone()).await?;
            created = self.store.create_session(new).await;
        }
        match created {
            Ok(session) => {
                let session = as_asked(session, &asked.engine.location);
                let operation = operation.finished(session.name.clone().into());
                Ok((session, operation))
            }
            Err(StoreError::Repeated(answer)) => self.created_before(&asked.engine, answer).await,
            Err(StoreError::AlreadyExists) => Err(Error::session_exists(&name)),
            Err(StoreError::StateTooLarge { bytes }) => {
                Err(Error::state_too_large("session.session_state", bytes, self.settings.limits.state_bytes))
            }
            Err(error) => Err(store_failure(error)),
        }
    }

    /// What the first of two same requests made: the session is as it is now (AIP-155).
    async fn created_before(&self, engine: &EngineName, answer: Bytes) -> Result<(Session, Operation)> {
        let (operation, id) = retries::read_operation_answer(OperationKind::CreateSession, answer)?;
        let session = self.get(&SessionName { engine: engine.clone(), session: id }).await?;
        let operation = operation.finished(session.name.clone().into());
        Ok((session, operation))
    }

    /// Everything that is wrong with a new session, at once.
    fn check_draft(
        &self,
        session_id: &str,
        draft: Option<SessionDraft>,
        now: crate::Timestamp,
    ) -> Result<(SessionDraft, crate::Timestamp)> {
        let mut violations = Violations::default();
        violations.require("session", draft.is_some());
        if !session_id.is_empty() && !self.settings.session_ids.allows(session_id) {
            violations.add("session_id", self.settings.session_ids.describe());
        }
        let mut expire_time = Expiration::default_from(now);
        if let Some(draft) = &draft {
            violations.require("session.user_id", !draft.user_id.is_empty());
            violations.limit_chars("session.user_id", &draft.user_id, USER_ID_CHARS);
            violations.refuse_nul("session.user_id", &draft.user_id);
            violations.limit_chars("session.display_name", &draft.display_name, DISPLAY_NAME_CHARS);
            labels::check(&draft.labels, "session.labels", &mut violations);
            if let Some(expiration) = draft.expiration {
                expire_time = expiration.resolve(now, &mut violations);
            }
        }
        violations.finish()?;
        Ok((draft.unwrap_or_default(), expire_time))
    }

    /// One session with its merged state.
    pub async fn get_session(&self, name: &str) -> Result<Session> {
        self.get(&self.read_session(name, |_| Error::invalid_session_name("name"))?).await
    }

    async fn get(&self, asked: &SessionName) -> Result<Session> {
        let stored = self.settings.names.stored_session(asked);
        match self.store.get_session(&stored, self.clock.now()).await.map_err(store_failure)? {
            Some(session) => Ok(as_asked(session, &asked.engine.location)),
            None => Err(self.session_missing(asked).await),
        }
    }

    /// The sessions of an engine.
    pub async fn list_sessions(&self, parent: &str, list: ListRequest<'_>) -> Result<Listing<Session>> {
        let asked = self.read_engine(parent, "parent")?;
        let engine = self.settings.names.stored_engine(&asked);
        let limit = page::size(list.page_size)?;
        let filter = query::session_filter(list.filter)?;
        let order = query::session_order(list.order_by)?;
        let parent = engine.to_string();
        let scan = Scan { list: "sessions", parent: &parent, filter: list.filter, order_by: list.order_by };
        let after = scan.cursor(list.page_token)?;
        let query =
            SessionQuery { engine: engine.clone(), filter, order, limit, after, now: self.clock.now() };
        let mut page = self.store.list_sessions(query.clone()).await;
        if matches!(page, Err(StoreError::EngineNotFound)) && self.settings.auto_create_engines {
            self.spring_up(engine).await?;
            page = self.store.list_sessions(query).await;
        }
        let page = page.map_err(store_failure)?;
        Ok(Listing {
            next_page_token: page.next.map(|cursor| scan.token(&cursor)).unwrap_or_default(),
            items: page.items.into_iter().map(|session| as_asked(session, &asked.location)).collect(),
        })
    }

    /// Changes the fields of a session that the mask names.
    pub async fn update_session(&self, name: &str, changes: SessionChanges) -> Result<Session> {
        let asked = self.read_session(name, |_| Error::invalid_session_name("session.name"))?;
        let fields = changes.fields(&asked)?;
        let now = self.clock.now();
        let mut violations = Violations::default();
        let mut update = SessionUpdate {
            name: self.settings.names.stored_session(&asked),
            display_name: None,
            labels: None,
            expire_time: None,
            // It never changes: clients send it along, and it must be the stored one.
            user_id: Some(changes.user_id.clone()).filter(|user_id| !user_id.is_empty()),
            now,
        };
        for field in fields {
            match field {
                SessionField::DisplayName => {
                    violations.limit_chars("session.display_name", &changes.display_name, DISPLAY_NAME_CHARS);
                    update.display_name = Some(changes.display_name.clone());
                }
                SessionField::Labels => {
                    labels::check(&changes.labels, "session.labels", &mut violations);
                    update.labels = Some(changes.labels.clone());
                }
                SessionField::Expiration => {
                    let resolve = |expiration: Expiration| expiration.resolve(now, &mut violations);
                    // Cleared by the mask: the default lifetime, from now.
                    let end = changes.expiration.map_or_else(|| Expiration::default_from(now), resolve);
                    update.expire_time = Some(end);
                }
            }
        }
        violations.finish()?;
        match self.store.update_session(update).await {
            Ok(session) => Ok(as_asked(session, &asked.engine.location)),
            Err(StoreError::SessionNotFound) => Err(self.session_missing(&asked).await),
            Err(StoreError::OtherUser) => Err(Error::field("session.user_id", "The field is immutable.")),
            Err(error) => Err(store_failure(error)),
        }
    }

    /// Deletes a session; its user's and app's state stay.
    pub async fn delete_session(
        &self,
        version: ApiVersion,
        name: &str,
        request: Option<RequestKey>,
    ) -> Result<Operation> {
        let asked = self.read_session(name, |_| Error::invalid_session_name("name"))?;
        let name = self.settings.names.stored_session(&asked);
        let now = self.clock.now();
        let operation = self.new_operation(OperationKind::DeleteSession, version, now);
        let request = recorded(request, &operation, &name)?;
        match self.store.delete_session(SessionDeletion { name, now, operation, request }).await {
            Ok(operation) => Ok(Operation { parent: asked.engine.location.into(), ..operation }),
            Err(StoreError::Repeated(answer)) => {
                let (operation, _) = retries::read_operation_answer(OperationKind::DeleteSession, answer)?;
                Ok(operation.finished(asked.engine.location.into()))
            }
            Err(StoreError::SessionNotFound) => Err(self.session_missing(&asked).await),
            Err(error) => Err(store_failure(error)),
        }
    }

    /// Why a session is not there: who forgot to create the engine is told so.
    pub(super) async fn session_missing(&self, asked: &SessionName) -> Error {
        if self.settings.auto_create_engines {
            return Error::session_not_found(asked);
        }
        match self.store.get_engine(&self.settings.names.stored_engine(&asked.engine)).await {
            Ok(Some(_)) => Error::session_not_found(asked),
            Ok(None) => Error::engine_not_found(),
            Err(error) => store_failure(error),
        }
    }
}

impl SessionChanges {
    /// The fields to change; refuses masks that name anything else.
    fn fields(&self, asked: &SessionName) -> Result<Vec<SessionField>> {
        if self.mask.is_empty() {
            return self.fields_sent(asked);
        }
        let mut fields = Vec::new();
        for path in &self.mask {
            let field = match path.as_str() {
                "display_name" | "displayName" => SessionField::DisplayName,
                "labels" => SessionField::Labels,
                "ttl" | "expire_time" | "expireTime" | "expiration" => SessionField::Expiration,
                "session_state" | "sessionState" => return Err(Error::state_not_updatable(asked)),
                "*" => {
                    if self.has_state {
                        return Err(Error::state_not_updatable(asked));
                    }
                    fields.extend([SessionField::DisplayName, SessionField::Labels]);
                    if self.expiration.is_some() {
                        fields.push(SessionField::Expiration);
                    }
                    continue;
                }
                // Sent along by clients; checked against the stored one, output-only fields are ignored
                // (AIP-203).
                "user_id" | "userId" | "name" | "create_time" | "createTime" | "update_time"
                | "updateTime" => {
                    continue;
                }
                other => {
                    return Err(Error::field(
                        "update_mask",
                        format!(
                            "Unknown or immutable path \"{}\"; updatable are display_name, labels, ttl and expire_time.",
                            other.chars().take(100).collect::<String>()
                        ),
                    ));
                }
            };
            fields.push(field);
        }
        Ok(fields)
    }

    fn fields_sent(&self, asked: &SessionName) -> Result<Vec<SessionField>> {
        if self.has_state {
            return Err(Error::state_not_updatable(asked));
        }
        let mut fields = Vec::new();
        if !self.display_name.is_empty() {
            fields.push(SessionField::DisplayName);
        }
        if !self.labels.is_empty() {
            fields.push(SessionField::Labels);
        }
        if self.expiration.is_some() {
            fields.push(SessionField::Expiration);
        }
        Ok(fields)
    }
}

/// What is recorded of a write on a session that its caller may send again.
fn recorded(
    key: Option<RequestKey>,
    operation: &NewOperation,
    name: &SessionName,
) -> Result<Option<Request>> {
    let Some(key) = key else { return Ok(None) };
    key.check()?;
    Ok(Some(key.answered(retries::operation_answer(operation, &name.session), operation.time)))
}

/// The session under the name that was asked.
pub(super) fn as_asked(mut session: Session, asked: &LocationName) -> Session {
    session.name.engine.location.clone_from(asked);
    session
}
