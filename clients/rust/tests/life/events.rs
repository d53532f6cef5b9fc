//! Events: nothing of them is lost, they are listed in order, and their deltas reach the state.

use google_cloud_aiplatform_v1::Error;
use google_cloud_aiplatform_v1::model::{
    Blob, Content, EventActions, EventMetadata, FunctionCall, FunctionResponse, GroundingMetadata,
    ListEventsResponse, Part, SessionEvent, Transcription,
};
use google_cloud_gax::paginator::{ItemPaginator, Paginator as _};
use google_cloud_wkt::Timestamp;
use serde_json::{Map, json};

use crate::{assert_numbered, fields, user, with_engine};

const START: i64 = 1_772_366_400; // 2026-03-01T12:00:00Z

/// An event that uses most of what there is, one second after the one before.
pub(crate) fn full_event(number: i32) -> SessionEvent {
    let mut delta = fields(json!({
        "count": number,
        "app:events": number,
        "user:latest": format!("turn-{}", number / 2),
        "temp:scratch": number,
    }));
    delta.insert(format!("k{}", number % 10), json!({"last": number}));
    let weather = fields(json!({"city": "Köln", "days": [1, 2.5, null, true]}));
    let content = Content::new().set_role("model").set_parts([
        Part::new()
            .set_text(format!("message {number} – ünïcode 🙂"))
            .set_thought(true)
            .set_thought_signature(vec![0, 0xfb, 0xff]),
        Part::new()
            .set_inline_data(Blob::new().set_mime_type("image/png").set_data(vec![0xfb, 0xff, 0xfe, 1])),
        Part::new().set_function_call(FunctionCall::new().set_name("weather").set_args(weather)),
        Part::new().set_function_response(
            FunctionResponse::new().set_name("weather").set_response(fields(json!({"sky": {"clouds": 3}}))),
        ),
    ]);
    let actions = EventActions::new()
        .set_skip_summarization(true)
        .set_state_delta(delta)
        .set_artifact_delta([("report.txt", number + 1)])
        .set_transfer_agent("helper")
        .set_escalate(true);
    let metadata = EventMetadata::new()
        .set_turn_complete(true)
        .set_interrupted(true)
        .set_branch("main.helper")
        .set_long_running_tool_ids(["call-1", "call-2"])
        .set_custom_metadata(fields(json!({"trace": "abc"})))
        .set_input_transcription(Transcription::new().set_text("hello").set_finished(true))
        .set_grounding_metadata(GroundingMetadata::new().set_web_search_queries(["weather köln"]));
    SessionEvent::new()
        .set_author(if number % 2 == 0 { "user" } else { "assistant" })
        .set_invocation_id(format!("turn-{}", number / 2))
        .set_timestamp(Timestamp::clamp(START + i64::from(number), 123_456_000))
        .set_content(content)
        .set_actions(actions)
        .set_error_code("SAFETY")
        .set_error_message("blocked")
        .set_event_metadata(metadata)
        .set_raw_event(fields(json!({"id": "e-1", "nested": {"ids": ["x"]}})))
}

#[tokio::test]
async fn events_are_listed_as_they_were_sent() {
    with_engine(async |clients, engine| {
        let session = clients.new_session(engine, user("alice")).await;
        let sent: Vec<_> = (0..150).map(full_event).collect();
        for event in &sent {
            clients.append(&session.name, event.clone()).await;
        }
        let list = clients.sessions.list_events().set_parent(&session.name);

        let mut sizes = Vec::new();
        let mut pages = list.clone().by_page();
        while let Some(page) = pages.next().await {
            sizes.push(page.unwrap().session_events.len());
        }
        assert_eq!(sizes, [100, 50]);

        let listed = all(list.clone().by_item()).await;
        for event in &listed {
            assert_numbered(&event.name, &format!("{}/events/", session.name));
        }
        let nameless: Vec<_> = listed.iter().map(|event| event.clone().set_name("")).collect();
        assert_eq!(nameless, sent);

        // The filter holds what is at the very time, and takes any offset from UTC.
        for written in ["2026-03-01T12:02:10.123456Z", "2026-03-01T14:02:10.123456+02:00"] {
            let since = list.clone().set_filter(format!("timestamp>=\"{written}\"")).set_page_size(7);
            assert_eq!(all(since.by_item()).await, listed[130..], "{written}");
        }
        let mut backwards = all(list.set_order_by("timestamp desc").by_item()).await;
        backwards.reverse();
        assert_eq!(backwards, listed);

        let updated = clients.read_session(&session.name).await.update_time;
        assert!(updated > session.update_time, "{updated:?} is not after {:?}", session.update_time);
    })
    .await;
}

async fn all(mut items: impl ItemPaginator<ListEventsResponse, Error>) -> Vec<SessionEvent> {
    let mut found = Vec::new();
    while let Some(event) = items.next().await {
        found.push(event.unwrap());
    }
    found
}

#[tokio::test]
async fn deltas_reach_the_state() {
    with_engine(async |clients, engine| {
        let initial = fields(json!({"greeting": "hello", "count": 0, "user:lang": "de"}));
        let own = clients.new_session(engine, user("alice").set_session_state(initial)).await.name;
        let alices = clients.new_session(engine, user("alice")).await.name;
        let bobs = clients.new_session(engine, user("bob")).await.name;
        for number in 0..12 {
            clients.append(&own, full_event(number)).await;
        }

        // What is temporary is nobody's.
        let app = fields(json!({"app:events": 11}));
        let with_users = fields(json!({"app:events": 11, "user:latest": "turn-5", "user:lang": "de"}));
        let mut with_own: Map<_, _> = (0..10)
            .map(|key| (format!("k{key}"), json!({"last": if key < 2 { key + 10 } else { key }})))
            .collect();
        with_own.extend(fields(json!({"greeting": "hello", "count": 11})));
        with_own.extend(with_users.clone());
        assert_eq!(clients.read_session(&own).await.session_state, Some(with_own));
        assert_eq!(clients.read_session(&alices).await.session_state, Some(with_users));
        assert_eq!(clients.read_session(&bobs).await.session_state, Some(app));

        // Lists show the same states as reads.
        let listed = clients.sessions.list_sessions().set_parent(engine).send().await.unwrap().sessions;
        assert_eq!(listed.len(), 3);
        for session in listed {
            assert_eq!(clients.read_session(&session.name).await, session);
        }
    })
    .await;
}
