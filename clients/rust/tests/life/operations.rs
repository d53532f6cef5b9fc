//! Operations: polled to their end, found again by their names with answers of this version's types,
//! listed, waited for, cancelled and forgotten.

use google_cloud_aiplatform_v1::client::SessionService;
use google_cloud_aiplatform_v1::model::{
    CreateReasoningEngineOperationMetadata, CreateSessionOperationMetadata, DeleteOperationMetadata,
    GenericOperationMetadata, ReasoningEngine, Session, UpdateReasoningEngineOperationMetadata,
};
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::paginator::ItemPaginator as _;
use google_cloud_longrunning::model::Operation;
use google_cloud_lro::{Poller as _, PollingResult};
use google_cloud_wkt::{Any, Duration, Empty, FieldMask};

use crate::refusals::assert_refused;
use crate::{LOCATION, assert_near, assert_numbered, now, user, with_engine};

#[tokio::test]
async fn a_session_is_made_in_the_first_answer() {
    with_engine(async |clients, engine| {
        let request = clients.sessions.create_session().set_parent(engine).set_session(user("alice"));
        let mut poller = request.poller();
        // The service answers this one at once, so that no client has to poll.
        let Some(PollingResult::Completed(made)) = poller.poll().await else {
            panic!("the operation is not done");
        };
        let made = made.unwrap();
        assert_eq!(clients.read_session(&made.name).await, made);
        assert!(poller.poll().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn an_operation_of_a_session_is_kept_until_it_is_deleted() {
    with_engine(async |clients, engine| {
        let sessions = &clients.sessions;
        let creation = sessions.create_session().set_parent(engine).set_session(user("alice"));
        let creation = creation.send().await.unwrap();
        assert!(creation.done);
        let made: Session = answer(&creation).to_msg().unwrap();
        assert_numbered(&creation.name, &format!("{}/operations/", made.name));
        assert_eq!(made.user_id, "alice");
        let metadata: CreateSessionOperationMetadata = metadata(&creation).to_msg().unwrap();
        assert_recent(metadata.generic_metadata);

        let read = sessions.get_operation().set_name(&creation.name).send().await.unwrap();
        assert_eq!(read, creation);
        let wait = sessions.wait_operation().set_name(&creation.name).set_timeout(Duration::clamp(1, 0));
        assert_eq!(wait.send().await.unwrap(), creation);
        // What has ended can no longer be cancelled, and asking for it is no error.
        sessions.cancel_operation().set_name(&creation.name).send().await.unwrap();
        let listed = list(sessions, &made.name, 1).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0], creation);

        sessions.delete_operation().set_name(&creation.name).send().await.unwrap();
        let read = sessions.get_operation().set_name(&creation.name).send().await;
        assert_refused(read, Code::NotFound, 404, &[]);
        assert_eq!(list(sessions, &made.name, 1).await, []);
    })
    .await;
}

#[tokio::test]
async fn operations_of_an_engine_are_found_again() {
    with_engine(async |clients, _| {
        let engines = &clients.engines;
        let creation = engines
            .create_reasoning_engine()
            .set_parent(LOCATION)
            .set_reasoning_engine(ReasoningEngine::new().set_display_name("assistant"));
        let creation = creation.send().await.unwrap();
        let creation = engines.wait_operation().set_name(&creation.name).send().await.unwrap();
        assert!(creation.done);
        let made: ReasoningEngine = answer(&creation).to_msg().unwrap();
        assert_eq!(engines.get_reasoning_engine().set_name(&made.name).send().await.unwrap(), made);
        let of_creation: CreateReasoningEngineOperationMetadata = metadata(&creation).to_msg().unwrap();
        assert_recent(of_creation.generic_metadata);

        let update = engines
            .update_reasoning_engine()
            .set_reasoning_engine(ReasoningEngine::new().set_name(&made.name).set_display_name("renamed"))
            .set_update_mask(FieldMask::default().set_paths(["display_name"]));
        let update = update.send().await.unwrap();
        let update = engines.wait_operation().set_name(&update.name).send().await.unwrap();
        let updated: ReasoningEngine = answer(&update).to_msg().unwrap();
        assert_eq!(updated.display_name, "renamed");
        let of_update: UpdateReasoningEngineOperationMetadata = metadata(&update).to_msg().unwrap();
        assert_recent(of_update.generic_metadata);

        let listed = list(&clients.sessions, &made.name, 1).await;
        let names: Vec<_> = listed.iter().map(|operation| &operation.name).collect();
        assert_eq!(names, [&update.name, &creation.name]);
        clients.delete_engine(&made.name).await;
    })
    .await;
}

#[tokio::test]
async fn operations_of_deletions_are_found_at_the_location() {
    with_engine(async |clients, engine| {
        let session = clients.new_session(engine, user("alice")).await;
        let deletion = clients.sessions.delete_session().set_name(&session.name).send().await.unwrap();
        assert_numbered(&deletion.name, &format!("{LOCATION}/operations/"));
        assert!(deletion.done);
        let _: Empty = answer(&deletion).to_msg().unwrap();
        let of_deletion: DeleteOperationMetadata = metadata(&deletion).to_msg().unwrap();
        assert_recent(of_deletion.generic_metadata);

        // The library asks for names such as this one under `/ui/`, where no version is told.
        let read = clients.sessions.get_operation().set_name(&deletion.name).send().await.unwrap();
        assert_eq!(read, deletion);
        let found = list(&clients.sessions, LOCATION, 100).await;
        assert!(found.contains(&deletion), "{found:?}");
    })
    .await;
}

/// All operations of a parent that have ended.
async fn list(client: &SessionService, parent: &str, page_size: i32) -> Vec<Operation> {
    let list = client.list_operations().set_name(parent).set_filter("done=true").set_page_size(page_size);
    let mut items = list.by_item();
    let mut found = Vec::new();
    while let Some(operation) = items.next().await {
        found.push(operation.unwrap());
    }
    found
}

#[track_caller]
fn answer(operation: &Operation) -> &Any {
    operation.response().unwrap_or_else(|| panic!("no answer: {operation:?}"))
}

#[track_caller]
fn metadata(operation: &Operation) -> &Any {
    operation.metadata.as_ref().unwrap_or_else(|| panic!("no metadata: {operation:?}"))
}

#[track_caller]
fn assert_recent(metadata: Option<GenericOperationMetadata>) {
    let metadata = metadata.unwrap();
    assert_near(metadata.create_time.as_ref(), now().seconds());
    assert_near(metadata.update_time.as_ref(), now().seconds());
}
