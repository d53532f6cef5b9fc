//! What is deleted is gone at once, and an engine with sessions goes by force alone.

use google_cloud_gax::error::rpc::Code;
use google_cloud_lro::Poller as _;
use serde_json::json;

use crate::refusals::{assert_not_found, assert_refused};
use crate::{Clients, fields, user, with_engine};

#[tokio::test]
async fn a_session_is_deleted() {
    with_engine(async |clients, engine| {
        let state = fields(json!({"user:lang": "de", "own": 1}));
        let first = clients.new_session(engine, user("alice").set_session_state(state)).await.name;
        let second = clients.new_session(engine, user("alice")).await.name;
        clients.sessions.delete_session().set_name(&first).poller().until_done().await.unwrap();

        let message = format!("Session {first} not found.");
        assert_not_found(clients.sessions.get_session().set_name(&first).send().await, &message);
        assert_not_found(clients.sessions.list_events().set_parent(&first).send().await, &message);
        // What belongs to the user outlives the session that it was said in.
        let left = clients.sessions.list_sessions().set_parent(engine).send().await.unwrap().sessions;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].name, second);
        assert_eq!(left[0].session_state, Some(fields(json!({"user:lang": "de"}))));
    })
    .await;
}

#[tokio::test]
async fn an_engine_with_sessions_is_deleted_by_force() {
    let clients = Clients::connect().await;
    let engine = clients.new_engine().await.name;
    let session = clients.new_session(&engine, user("alice")).await.name;

    let delete = clients.engines.delete_reasoning_engine().set_name(&engine);
    let message =
        assert_refused(delete.clone().poller().until_done().await, Code::FailedPrecondition, 400, &[]);
    assert_eq!(
        message,
        format!(
            "The ReasoningEngine \"{engine}\" contains child resources: sessions. Please delete the child \
             resources before deleting the ReasoningEngine, or set force to true to delete child resources."
        )
    );
    assert_eq!(clients.read_session(&session).await.name, session);

    delete.set_force(true).poller().until_done().await.unwrap();
    let gone = "The ReasoningEngine does not exist.";
    assert_not_found(clients.engines.get_reasoning_engine().set_name(&engine).send().await, gone);
    let read = clients.sessions.get_session().set_name(&session).send().await;
    assert_refused(read, Code::NotFound, 404, &[]);
}
