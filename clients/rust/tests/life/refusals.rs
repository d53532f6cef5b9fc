//! What is wrong is said in the service's own words, in the library's own type of error.

use google_cloud_aiplatform_v1::Result;
use google_cloud_aiplatform_v1::model::{Session, SessionEvent};
use google_cloud_gax::error::rpc::{Code, StatusDetails};
use google_cloud_gax::paginator::ItemPaginator as _;
use google_cloud_lro::Poller as _;
use google_cloud_wkt::Duration;

use crate::events::full_event;
use crate::{LOCATION, user, with_engine};

/// Insists on an error with this code and HTTP status, and with BadRequest details that name the fields;
/// returns its text.
#[track_caller]
pub(crate) fn assert_refused<T>(answer: Result<T>, code: Code, http: u16, named: &[&str]) -> String {
    let Err(error) = answer else { panic!("not refused") };
    assert_eq!(error.http_status_code(), Some(http), "{error:?}");
    let status = error.status().unwrap_or_else(|| panic!("{error:?} has no status"));
    assert_eq!(status.code, code, "{error:?}");
    let mut fields = Vec::new();
    for detail in &status.details {
        let StatusDetails::BadRequest(detail) = detail else { panic!("{detail:?} is no BadRequest") };
        for violation in &detail.field_violations {
            let description = &violation.description;
            assert!(!description.is_empty() && status.message.contains(description), "{error:?}");
            fields.push(violation.field.as_str());
        }
    }
    assert_eq!(fields, named, "{error:?}");
    status.message.clone()
}

#[track_caller]
pub(crate) fn assert_invalid<'a, T>(answer: Result<T>, fields: impl IntoIterator<Item = &'a str>) -> String {
    assert_refused(answer, Code::InvalidArgument, 400, &fields.into_iter().collect::<Vec<_>>())
}

#[track_caller]
pub(crate) fn assert_not_found<T>(answer: Result<T>, message: &str) {
    assert_eq!(assert_refused(answer, Code::NotFound, 404, &[]), message);
}

/// What the service says of fields that are wrong.
fn found(errors: &[(&str, &str)]) -> String {
    let mut text = String::from("List of found errors:");
    for (index, (field, message)) in errors.iter().enumerate() {
        text += &format!("\t{}.Field: {field}; Message: {message}", index + 1);
    }
    text + "\t"
}

#[tokio::test]
async fn missing_sessions() {
    with_engine(async |clients, engine| {
        let sessions = &clients.sessions;
        let missing = format!("{engine}/sessions/987654321");
        let message = format!("Session {missing} not found.");
        assert_not_found(sessions.get_session().set_name(&missing).send().await, &message);
        assert_not_found(sessions.list_events().set_parent(&missing).send().await, &message);
        let mut items = sessions.list_events().set_parent(&missing).by_item();
        assert_not_found(items.next().await.unwrap(), &message);
        let append = sessions.append_event().set_name(&missing).set_event(full_event(0));
        assert_not_found(append.send().await, &message);
        let delete = sessions.delete_session().set_name(&missing);
        assert_not_found(delete.poller().until_done().await, &message);
    })
    .await;
}

#[tokio::test]
async fn missing_engines() {
    with_engine(async |clients, _| {
        let missing = format!("{LOCATION}/reasoningEngines/987654321");
        let message = "The ReasoningEngine does not exist.";
        let get = clients.engines.get_reasoning_engine().set_name(&missing);
        assert_not_found(get.send().await, message);
        let delete = clients.engines.delete_reasoning_engine().set_name(&missing);
        assert_not_found(delete.poller().until_done().await, message);
        let create = clients.sessions.create_session().set_parent(&missing).set_session(user("alice"));
        assert_not_found(create.poller().until_done().await, message);
    })
    .await;
}

#[tokio::test]
async fn fields_that_are_not_set() {
    with_engine(async |clients, engine| {
        // A required field is asked for before the session is looked up.
        let missing = format!("{engine}/sessions/987654321");
        let append = async |event: SessionEvent| {
            clients.sessions.append_event().set_name(&missing).set_event(event).send().await
        };
        const NOT_SET: &str = "Required field is not set.";
        for (incomplete, field) in [
            (full_event(0).set_author(""), "event.author"),
            (full_event(0).set_invocation_id(""), "event.invocation_id"),
            (full_event(0).set_or_clear_timestamp(None::<google_cloud_wkt::Timestamp>), "event.timestamp"),
        ] {
            let message = assert_invalid(append(incomplete).await, [field]);
            assert_eq!(message, found(&[(field, NOT_SET)]));
        }
        let several = append(full_event(0).set_author("").set_invocation_id("")).await;
        let message = assert_invalid(several, ["event.author", "event.invocation_id"]);
        assert_eq!(message, found(&[("event.author", NOT_SET), ("event.invocation_id", NOT_SET)]));

        let create = clients.sessions.create_session().set_parent(engine).set_session(Session::new());
        let message = assert_invalid(create.poller().until_done().await, ["session.user_id"]);
        assert_eq!(message, found(&[("session.user_id", NOT_SET)]));
    })
    .await;
}

#[tokio::test]
async fn ids_and_times_that_cannot_be() {
    with_engine(async |clients, engine| {
        let create = |id: &str, session| {
            let request = clients.sessions.create_session().set_parent(engine).set_session(session);
            request.set_session_id(id).poller().until_done()
        };
        let taken = create("taken", user("alice")).await.unwrap().name;
        assert_eq!(
            assert_invalid(create("taken", user("bob")).await, None),
            format!("Session with user-provided ID '{taken}' already exists.")
        );
        assert_invalid(create("Not_An_Id", user("alice")).await, ["session_id"]);
        let short = user("alice").set_ttl(Duration::clamp(60 * 60, 0));
        assert_invalid(create("", short).await, ["session.ttl"]);

        let get = clients.sessions.get_session().set_name(format!("{engine}/sessions/Not_An_Id"));
        let message = assert_invalid(get.send().await, ["name"]);
        assert_eq!(message, found(&[("name", "Invalid Session resource name.")]));
    })
    .await;
}

#[tokio::test]
async fn lists_that_cannot_be() {
    with_engine(async |clients, engine| {
        let list = clients.sessions.list_sessions().set_parent(engine);
        assert_invalid(list.clone().set_filter(r#"user_id="alice"#).send().await, ["filter"]);
        assert_invalid(list.clone().set_order_by("user_id").send().await, ["order_by"]);
        assert_invalid(list.clone().set_page_token("nonsense").send().await, ["page_token"]);
        assert_invalid(list.set_page_size(-1).send().await, ["page_size"]);
        let session = clients.new_session(engine, user("alice")).await.name;
        let list = clients.sessions.list_events().set_parent(&session);
        assert_invalid(list.set_filter("timestamp>=now").send().await, ["filter"]);
    })
    .await;
}
