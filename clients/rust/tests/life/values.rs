//! Values at the edges of their types come back as they were sent.

use google_cloud_aiplatform_v1::model::grounding_chunk::Web;
use google_cloud_aiplatform_v1::model::{
    Blob, Content, EventActions, EventMetadata, FunctionCall, GroundingChunk, GroundingMetadata,
    GroundingSupport, Part, RetrievalMetadata, SessionEvent, VideoMetadata,
};
use google_cloud_wkt::{Duration, Struct, Timestamp};
use serde_json::json;

use crate::{Clients, fields, now, user, with_engine};

/// An event with what every event must have.
fn event() -> SessionEvent {
    SessionEvent::new().set_author("user").set_invocation_id("turn-1").set_timestamp(now())
}

/// Appends an event to a session of its own, and reads it back.
async fn sent_and_read(clients: &Clients, engine: &str, event: SessionEvent) -> SessionEvent {
    let session = clients.new_session(engine, user("alice")).await.name;
    clients.append(&session, event).await;
    let mut events = clients.read_events(&session).await;
    assert_eq!(events.len(), 1);
    events.remove(0).set_name("")
}

#[tokio::test]
async fn timestamps_keep_their_nanoseconds() {
    with_engine(async |clients, engine| {
        let session = clients.new_session(engine, user("alice")).await.name;
        // From the first to the last second that a timestamp can name.
        let mut times = Vec::new();
        for seconds in [Timestamp::MIN_SECONDS, -1, 0, 1_772_366_400, Timestamp::MAX_SECONDS] {
            // What is of one microsecond is in the order of arrival.
            for nanos in [999_999_999, 0, 1, 120_000_000] {
                times.push(Timestamp::new(seconds, nanos).unwrap());
            }
        }
        for seconds in times.chunks(4).rev() {
            for time in seconds {
                clients.append(&session, event().set_timestamp(*time)).await;
            }
        }
        let events = clients.read_events(&session).await;
        times.sort_by_key(|time| (time.seconds(), time.nanos()));
        let read: Vec<_> = events.into_iter().map(|event| event.timestamp.unwrap()).collect();
        assert_eq!(read, times);
    })
    .await;
}

#[tokio::test]
async fn state_is_a_json_object() {
    let sent = fields(json!({
        "null": null,
        "booleans": [true, false],
        "text": "ünïcode 🙂 \u{0}\u{1f}\u{2028}\"\\/",
        "": "the empty key",
        "dotted.key": {"deep": [[[{"er": []}]], {}]},
        "integers": [0, -1, 9_007_199_254_740_991_u64, -9_007_199_254_740_991_i64],
        "fractions": [0.5, 0.1, -2.5, 1e-7, 5e-324, 1.797_693_134_862_315_7e308],
    }));
    with_engine(async |clients, engine| {
        let made = clients.new_session(engine, user("alice").set_session_state(sent.clone())).await;
        assert_eq!(made.session_state.as_ref(), Some(&sent));
        assert_eq!(clients.read_session(&made.name).await.session_state.as_ref(), Some(&sent));

        let change = fields(json!({"text": {"now": "an object"}, "null": 1, "booleans": null}));
        let expected: Struct = sent.clone().into_iter().chain(change.clone()).collect();
        clients.append(&made.name, event().set_actions(EventActions::new().set_state_delta(change))).await;
        assert_eq!(clients.read_session(&made.name).await.session_state, Some(expected));
    })
    .await;
}

#[tokio::test]
async fn numbers_of_a_state_are_doubles() {
    with_engine(async |clients, engine| {
        let sent = fields(json!({"beyond": 9_007_199_254_740_993_u64, "whole": 3.0, "zero": -0.0}));
        let name = clients.new_session(engine, user("alice").set_session_state(sent)).await.name;
        let state = clients.read_session(&name).await.session_state.unwrap();
        // A `Struct` holds doubles, so integers beyond 2^53 lose what a double cannot hold.
        assert_eq!(state["beyond"].as_f64(), Some(9_007_199_254_740_992.0));
        assert_eq!(state["whole"].as_f64(), Some(3.0));
        assert_eq!(state["zero"].as_f64().map(f64::to_bits), Some((-0.0_f64).to_bits()));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_set_is_not_made_up() {
    with_engine(async |clients, engine| {
        let session = clients.new_session(engine, user("alice")).await;
        assert_eq!(session.session_state, None);
        assert!(session.labels.is_empty());
        assert_eq!(session.display_name, "");
        let empty = clients.new_session(engine, user("alice").set_session_state(Struct::new())).await;
        assert_eq!(empty.session_state, None);

        // The service answers these three whether they were sent or not, and nothing else.
        let bare = event();
        let read = sent_and_read(clients, engine, bare.clone()).await;
        let expected = bare
            .set_content(Content::new())
            .set_actions(EventActions::new())
            .set_event_metadata(EventMetadata::new());
        assert_eq!(read, expected);
        assert_eq!(sent_and_read(clients, engine, expected.clone()).await, expected);
    })
    .await;
}

#[tokio::test]
async fn what_is_set_to_nothing_stays_set() {
    let chunks = [None, Some(""), Some("https://example.com/")]
        .map(|uri| GroundingChunk::new().set_web(Web::new().set_or_clear_uri(uri).set_or_clear_title(uri)));
    let grounding = GroundingMetadata::new()
        .set_grounding_chunks(chunks)
        .set_grounding_supports([GroundingSupport::new()])
        .set_retrieval_metadata(RetrievalMetadata::new())
        .set_google_maps_widget_context_token("");
    let sent = event()
        .set_content(Content::new().set_parts([
            Part::new(),
            Part::new().set_text(""),
            Part::new().set_inline_data(Blob::new()),
            Part::new().set_function_call(FunctionCall::new()),
            Part::new().set_function_call(FunctionCall::new().set_args(Struct::new())),
        ]))
        .set_actions(
            EventActions::new().set_state_delta(Struct::new()).set_requested_auth_configs(Struct::new()),
        )
        .set_event_metadata(
            EventMetadata::new().set_custom_metadata(Struct::new()).set_grounding_metadata(grounding),
        )
        .set_raw_event(Struct::new());
    with_engine(async |clients, engine| {
        assert_eq!(sent_and_read(clients, engine, sent.clone()).await, sent);
    })
    .await;
}

#[tokio::test]
async fn numbers_keep_their_width() {
    let supports = [0.0, 0.1, 1.0, f32::MIN_POSITIVE, f32::MAX].map(|score| {
        GroundingSupport::new()
            .set_grounding_chunk_indices([0, i32::MIN, i32::MAX])
            .set_confidence_scores([score])
    });
    let video = VideoMetadata::new()
        .set_start_offset(Duration::clamp(1, 1))
        .set_end_offset(Duration::clamp(90, 500_000_000))
        .set_fps(29.97);
    let sent = event()
        .set_content(Content::new().set_parts([Part::new().set_video_metadata(video)]))
        .set_actions(EventActions::new().set_artifact_delta([
            ("old", i32::MIN),
            ("none", 0),
            ("new", i32::MAX),
        ]))
        .set_event_metadata(
            EventMetadata::new()
                .set_grounding_metadata(GroundingMetadata::new().set_grounding_supports(supports)),
        );
    with_engine(async |clients, engine| {
        assert_eq!(sent_and_read(clients, engine, sent.clone()).await, sent);
    })
    .await;
}

#[tokio::test]
async fn bytes_of_any_length_come_back() {
    let parts: Vec<_> = (0..=256_usize)
        .map(|length| {
            let data: Vec<u8> = (0..=u8::MAX).rev().cycle().take(length).collect();
            Part::new().set_inline_data(Blob::new().set_mime_type("application/octet-stream").set_data(data))
        })
        .collect();
    let sent = event().set_content(Content::new().set_parts(parts));
    with_engine(async |clients, engine| {
        let read = sent_and_read(clients, engine, sent.clone()).await;
        assert_eq!(read.content, sent.content);
    })
    .await;
}

#[tokio::test]
async fn labels_are_as_sent() {
    with_engine(async |clients, engine| {
        let labels = [("empty", ""), ("größe_2", "日本語-1"), ("a", "0")];
        let made = clients.new_session(engine, user("alice").set_labels(labels)).await;
        let expected = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(made.labels, expected.into());
        assert_eq!(clients.read_session(&made.name).await, made);
        let list = clients.sessions.list_sessions().set_parent(engine);
        let found = list.clone().set_filter("labels.a=\"0\"").send().await.unwrap().sessions;
        assert_eq!(found, [made]);
        let other = list.set_filter("labels.a=\"1\"").send().await.unwrap().sessions;
        assert_eq!(other, []);
    })
    .await;
}
