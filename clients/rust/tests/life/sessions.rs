//! Sessions: made with everything that a caller can say, read back, listed and updated.

use google_cloud_aiplatform_v1::client::SessionService;
use google_cloud_aiplatform_v1::model::{ListSessionsResponse, Session};
use google_cloud_gax::paginator::{ItemPaginator as _, Paginator as _};
use google_cloud_lro::Poller as _;
use google_cloud_wkt::{Duration, FieldMask, Timestamp};
use serde_json::json;

use crate::refusals::assert_invalid;
use crate::{DAY, assert_near, assert_numbered, fields, now, user, with_engine};

#[tokio::test]
async fn sessions_are_made_and_read() {
    with_engine(async |clients, engine| {
        let state = json!({"greeting": "hello", "count": 0, "app:model": "m-1", "user:lang": "de"});
        let first = clients
            .sessions
            .create_session()
            .set_parent(engine)
            .set_session_id("first-session")
            .set_session(
                user("alice")
                    .set_display_name("first")
                    .set_labels([("team", "blue"), ("größe", "klein")])
                    .set_session_state(fields(state.clone()))
                    .set_ttl(Duration::clamp(2 * DAY, 0)),
            )
            .poller()
            .until_done()
            .await
            .unwrap();
        assert_eq!(first.name, format!("{engine}/sessions/first-session"));
        assert_eq!(first.user_id, "alice");
        assert_eq!(first.display_name, "first");
        let labels = [("team", "blue"), ("größe", "klein")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(first.labels, labels.into());
        assert_eq!(first.session_state, Some(fields(state)));
        let created = first.create_time.as_ref();
        assert_near(created, now().seconds());
        // What was said as a span comes back as a point in time.
        assert_eq!(first.ttl(), None);
        assert_near(first.expire_time().map(AsRef::as_ref), created.unwrap().seconds() + 2 * DAY);
        assert_eq!(clients.read_session(&first.name).await, first);

        // A point in time instead of a span, and an id of the server's choice.
        let expires = Timestamp::clamp(now().seconds() + 40 * DAY, 123_456_000);
        let second = clients.new_session(engine, user("bob").set_expire_time(expires)).await;
        assert_numbered(&second.name, &format!("{engine}/sessions/"));
        assert_eq!(second.expire_time().map(AsRef::as_ref), Some(&expires));
        // What belongs to the app is bob's too, what belongs to alice is not.
        assert_eq!(second.session_state, Some(fields(json!({"app:model": "m-1"}))));

        // Without either, a session lives for a year.
        let third = clients.new_session(engine, user("alice")).await;
        assert_near(third.expire_time().map(AsRef::as_ref), now().seconds() + 365 * DAY);
        assert_eq!(third.session_state, Some(fields(json!({"app:model": "m-1", "user:lang": "de"}))));
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed() {
    with_engine(async |clients, engine| {
        let mut alices = Vec::new();
        for _ in 0..7 {
            alices.push(clients.new_session(engine, user("alice")).await.name);
        }
        let bobs = clients.new_session(engine, user("bob")).await.name;
        let mut newest_first = alices.clone();
        newest_first.push(bobs);
        newest_first.reverse();

        for filter in [r#"user_id="alice""#, r#"userId="alice""#, "user_id=alice"] {
            let list = clients.sessions.list_sessions().set_parent(engine).set_filter(filter);
            let mut pages = list.set_order_by("create_time").set_page_size(3).by_page();
            let mut sizes = Vec::new();
            let mut found = Vec::new();
            while let Some(page) = pages.next().await {
                let page = names(page.unwrap());
                sizes.push(page.len());
                found.extend(page);
            }
            assert_eq!(sizes, [3, 3, 1], "{filter}");
            assert_eq!(found, alices, "{filter}");
        }

        // The newest first, unless asked otherwise; a walk by item crosses pages unseen.
        assert_eq!(walk(&clients.sessions, engine, 3, "").await, newest_first);
        let page = clients.sessions.list_sessions().set_parent(engine).set_page_size(3).send().await.unwrap();
        // A walk that goes on from a token, as in another process.
        assert_eq!(walk(&clients.sessions, engine, 3, &page.next_page_token).await, newest_first[3..]);
        let nobodys = clients.sessions.list_sessions().set_parent(engine).set_filter(r#"user_id="carol""#);
        assert_eq!(nobodys.send().await.unwrap(), ListSessionsResponse::new());
    })
    .await;
}

async fn walk(client: &SessionService, engine: &str, page_size: i32, token: &str) -> Vec<String> {
    let list = client.list_sessions().set_parent(engine).set_page_size(page_size).set_page_token(token);
    let mut items = list.by_item();
    let mut found = Vec::new();
    while let Some(session) = items.next().await {
        found.push(session.unwrap().name);
    }
    found
}

fn names(page: ListSessionsResponse) -> Vec<String> {
    page.sessions.into_iter().map(|session| session.name).collect()
}

#[tokio::test]
async fn a_mask_changes_what_it_names() {
    with_engine(async |clients, engine| {
        let state = fields(json!({"count": 1}));
        let made = clients.new_session(engine, user("alice").set_session_state(state.clone())).await;
        let update = |session: Session, paths: &[&str]| {
            let mask = FieldMask::default().set_paths(paths.iter().copied());
            clients.sessions.update_session().set_session(session.set_name(&made.name)).set_update_mask(mask)
        };

        let renaming = user("alice").set_display_name("renamed").set_labels([("not", "named")]);
        let renamed = update(renaming, &["display_name"]).send().await.unwrap();
        assert_eq!(renamed.display_name, "renamed");
        assert!(renamed.labels.is_empty());
        assert_eq!(renamed.session_state.as_ref(), Some(&state));
        assert_eq!(renamed.expiration, made.expiration);
        assert_eq!(clients.read_session(&made.name).await, renamed);

        let change = Session::new().set_labels([("team", "red")]).set_ttl(Duration::clamp(3 * DAY, 0));
        let changed = update(change, &["labels", "ttl"]).send().await.unwrap();
        assert_eq!(changed.labels, [("team".to_owned(), "red".to_owned())].into());
        assert_eq!(changed.display_name, "renamed");
        let updated = changed.update_time.as_ref().unwrap().seconds();
        assert_near(changed.expire_time().map(AsRef::as_ref), updated + 3 * DAY);

        let refused =
            update(Session::new().set_session_state(fields(json!({"count": 2}))), &["session_state"]);
        let message = assert_invalid(refused.send().await, None);
        assert!(message.ends_with("you can only update it by appending an event."), "{message}");
        assert_eq!(clients.read_session(&made.name).await.session_state, Some(state));
    })
    .await;
}
