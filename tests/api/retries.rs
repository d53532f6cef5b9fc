//! Requests that are sent again, and events that are appended at once.

use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::grpc_client::GrpcClient;
use crate::server::{Server, event};

const HEADER: &str = "x-colloquy-request-id";
const T1: &str = "2026-01-01T00:00:01Z";

/// The bytes of a message, given as JSON.
fn message(name: &str, json: &Value) -> Vec<u8> {
    let pool = DescriptorPool::decode(colloquy_contract::DESCRIPTOR_SET).unwrap();
    let descriptor = pool.get_message_by_name(name).unwrap();
    DynamicMessage::deserialize(descriptor, json).unwrap().encode_to_vec()
}

fn append(server: &Server, session: &str, id: &str, event: &Value) -> Answer {
    server.post(&format!("/v1beta1/{session}:appendEvent?requestId={id}"), event)
}

fn events(server: &Server, session: &str) -> Vec<Value> {
    let page = server.get(&format!("/v1beta1/{session}/events?pageSize=100")).ok();
    page["sessionEvents"].as_array().cloned().unwrap_or_default()
}

fn assert_taken(answer: &Answer) {
    let error = answer.error(409);
    assert_eq!(error["status"], "ALREADY_EXISTS");
    assert!(error["message"].as_str().unwrap().contains("same request id"), "{error}");
}

#[test]
fn an_append_that_is_sent_again_is_stored_once_whatever_way_it_comes() {
    let server = Server::start();
    let mut grpc = GrpcClient::new(server.address());
    let session = server.session();
    let sent = event(T1, &json!({"a": 1, "b": {"y": [1, 2], "x": 2.5}, "app:c": null}));
    assert_eq!(append(&server, &session, "id-1", &sent).ok(), json!({}));
    let first = events(&server, &session);
    assert_eq!(first.len(), 1);

    // Other spellings of the same, by both versions, both protocols, parameter and header.
    assert_eq!(append(&server, &session, "id-1", &sent).ok(), json!({}));
    let body = r#"{"invocation_id": "inv", "timestamp": "2026-01-01T02:00:01.000+02:00", "author": "user",
        "actions": {"state_delta": {"app:c": null, "b": {"x": 2.50, "y": [1, 2.0]}, "a": 1}},
        "content": {"parts": [{"text": "hello"}], "role": "user"}}"#;
    let path = format!("/v1/{session}:appendEvent");
    let headers = [("Content-Type", "application/json"), (HEADER, "id-1")];
    assert_eq!(server.client().send_with("POST", &path, &headers, Some(body.as_bytes())).ok(), json!({}));
    let request =
        message("google.cloud.aiplatform.v1.AppendEventRequest", &json!({"name": session, "event": sent}));
    let method = "/google.cloud.aiplatform.v1.SessionService/AppendEvent";
    let reply = grpc.call_with(method, &request, &[(HEADER, "id-1")]);
    assert_eq!((reply.code, reply.error.as_str()), (0, ""));
    assert_eq!(events(&server, &session), first);

    // Another body under the same id is refused, and stored under another.
    let other = event(T1, &json!({"a": 2}));
    assert_taken(&append(&server, &session, "id-1", &other));
    let request =
        message("google.cloud.aiplatform.v1.AppendEventRequest", &json!({"name": session, "event": other}));
    let reply = grpc.call_with(method, &request, &[(HEADER, "id-1")]);
    assert_eq!(reply.code, 6, "{}", reply.error);
    assert_eq!(append(&server, &session, "id-2", &other).ok(), json!({}));
    assert_eq!(events(&server, &session).len(), 2);
    assert_eq!(server.read(&session)["sessionState"]["a"], 2);
}

#[test]
fn without_an_id_nothing_is_a_retry() {
    let server = Server::start();
    let session = server.session();
    let mut sent = event(T1, &json!({}));
    sent["rawEvent"] = json!({"id": "adk-1"});
    for _ in 0..2 {
        assert_eq!(server.post(&format!("/v1beta1/{session}:appendEvent"), &sent).ok(), json!({}));
    }
    assert_eq!(events(&server, &session).len(), 2);
}

#[test]
fn adks_own_event_ids_make_its_retries_safe_where_the_server_is_set_so() {
    let server = Server::start_with(&["--raw-event-ids"]);
    let session = server.session();
    let path = format!("/v1beta1/{session}:appendEvent");
    let raw = |id: Value, text: &str| {
        let mut sent = event(T1, &json!({"k": text}));
        sent["rawEvent"] = json!({"id": id, "author": "user"});
        sent
    };
    for _ in 0..3 {
        assert_eq!(server.post(&path, &raw(json!("adk-1"), "a")).ok(), json!({}));
    }
    assert_eq!(events(&server, &session).len(), 1);
    assert_taken(&server.post(&path, &raw(json!("adk-1"), "b")));
    // What is no id names nothing; what the caller says goes before.
    for id in [json!(7), json!(""), json!(null), json!("x".repeat(300))] {
        for _ in 0..2 {
            assert_eq!(server.post(&path, &raw(id.clone(), "c")).ok(), json!({}));
        }
    }
    assert_eq!(events(&server, &session).len(), 9);
    assert_eq!(append(&server, &session, "own", &raw(json!("adk-1"), "d")).ok(), json!({}));
    assert_eq!(events(&server, &session).len(), 10);
}

#[test]
fn a_session_is_made_and_deleted_once() {
    let server = Server::start();
    let engine = server.engine();
    let create =
        |id: &str, body: &Value| server.post(&format!("/v1beta1/{engine}/sessions?requestId={id}"), body);
    let body = json!({"userId": "u", "sessionState": {"a": 1}});
    let first = create("c", &body).ok();
    assert_eq!(create("c", &body).ok(), first);
    let session = first["response"]["name"].as_str().unwrap();
    assert_eq!(first["response"]["sessionState"], json!({"a": 1}));
    assert_taken(&create("c", &json!({"userId": "v"})));
    assert_taken(&create("c", &json!({"userId": "u", "sessionState": {"a": 2}})));
    assert_ne!(create("d", &body).ok()["name"], first["name"]);
    // An id of the caller's own may be sent again too.
    let named =
        |id: &str| server.post(&format!("/v1beta1/{engine}/sessions?sessionId=mine&requestId={id}"), &body);
    let mine = named("e").ok();
    assert_eq!(named("e").ok(), mine);
    assert!(named("f").invalid().contains("already exists"));

    let delete = |name: &str, id: &str| server.delete(&format!("/v1beta1/{name}?requestId={id}"));
    let gone = delete(session, "g").ok();
    assert_eq!(delete(session, "g").ok(), gone);
    assert_eq!(gone["done"], true);
    delete(session, "h").error(404);
    assert_taken(&delete(mine["response"]["name"].as_str().unwrap(), "g"));
    // What was made is gone since.
    create("c", &body).error(404);
}

#[test]
fn bad_request_ids_are_refused() {
    let server = Server::start();
    let session = server.session();
    let sent = event(T1, &json!({}));
    for id in ["", "a%20b", "%C3%A9", &"x".repeat(129)] {
        assert!(append(&server, &session, id, &sent).invalid().contains("request_id"), "{id}");
    }
    let path = format!("/v1beta1/{session}:appendEvent?request_id=a");
    let headers = [("Content-Type", "application/json"), (HEADER, "b")];
    let body = sent.to_string();
    let answer = server.client().send_with("POST", &path, &headers, Some(body.as_bytes()));
    assert!(answer.invalid().contains("more than one request id"));
    // Where nothing is written there is nothing to name: the parameter is as unknown as ever.
    assert!(server.get(&format!("/v1beta1/{session}?requestId=a")).invalid().contains("requestId"));
    assert_eq!(events(&server, &session), [] as [Value; 0]);
}

#[test]
fn what_was_carried_out_is_known_after_a_restart() {
    let data = tempfile::TempDir::new().unwrap();
    let server = Server::start_on(data.path(), &[]);
    let session = server.session();
    let sent = event(T1, &json!({"a": 1}));
    assert_eq!(append(&server, &session, "id", &sent).ok(), json!({}));
    server.kill();
    let server = Server::start_on(data.path(), &[]);
    assert_eq!(append(&server, &session, "id", &sent).ok(), json!({}));
    assert_taken(&append(&server, &session, "id", &event(T1, &json!({"a": 2}))));
    assert_eq!(events(&server, &session).len(), 1);
}

#[test]
fn events_are_appended_at_once_all_or_nothing() {
    let server = Server::start();
    let mut grpc = GrpcClient::new(server.address());
    let session = server.session();
    let path = format!("/colloquy/v1/{session}/events:batchAppend");
    let batch = |count: usize| {
        let events = (0..count).map(|n| event(&format!("2026-01-01T00:00:{:02}Z", n % 60), &json!({"n": n})));
        json!({"events": events.collect::<Vec<_>>()})
    };
    let names = server.post(&path, &batch(3)).ok()["events"].clone();
    let stored: Vec<_> = events(&server, &session).iter().map(|event| event["name"].clone()).collect();
    assert_eq!(names, json!(stored));
    assert_eq!(server.read(&session)["sessionState"], json!({"n": 2}));

    // One that is wrong spoils all, and is named.
    let mut spoilt = batch(3);
    spoilt["events"][1].as_object_mut().unwrap().remove("author");
    spoilt["events"][2]["invocationId"] = json!("");
    let answer = server.post(&path, &spoilt).invalid();
    assert!(answer.contains("1.Field: events[1].author; Message: Required field is not set."), "{answer}");
    assert!(answer.contains("2.Field: events[2].invocation_id;"), "{answer}");
    let mut large = batch(2);
    large["events"][1]["actions"]["stateDelta"] = json!({"k": "x".repeat(2 << 20)});
    assert!(
        server.post(&path, &large).invalid().contains("Field: events; Message: The merged session state")
    );
    assert_eq!(events(&server, &session).len(), 3);
    assert_eq!(server.read(&session)["sessionState"], json!({"n": 2}));

    assert!(server.post(&path, &json!({})).invalid().contains("Field: events; Message: Required field"));
    assert!(server.post(&path, &batch(1_001)).invalid().contains("at most 1000"));
    let missing = path.replace("/sessions/", "/sessions/x");
    server.post(&missing, &batch(1)).error(404);

    // A retry is told the same names; gRPC does the same.
    let first = server.post(&format!("{path}?requestId=r"), &batch(1_000)).ok();
    assert_eq!(first["events"].as_array().unwrap().len(), 1_000);
    let request = message(
        "colloquy.v1.BatchAppendEventsRequest",
        &json!({"parent": session, "events": batch(1_000)["events"]}),
    );
    let method = "/colloquy.v1.SessionService/BatchAppendEvents";
    let reply = grpc.call_with(method, &request, &[(HEADER, "r")]);
    assert_eq!((reply.code, reply.error.as_str()), (0, ""));
    assert_eq!(reply.message, message("colloquy.v1.BatchAppendEventsResponse", &first));
    assert_taken(&server.post(&format!("{path}?requestId=r"), &batch(999)));
    assert_eq!(grpc.call(method, &request).code, 0);
    let state = server.read(&session)["sessionState"].clone();
    assert_eq!(state, json!({"n": 999}));
    let last = server.get(&format!("/v1beta1/{session}/events?pageSize=100&orderBy=timestamp%20desc")).ok();
    assert_eq!(last["sessionEvents"].as_array().unwrap().len(), 100);
}

#[test]
fn express_mode_appends_at_once_too() {
    let server = Server::start();
    let engine = server.post("/v1beta1/reasoningEngines", &json!({"displayName": "e"})).ok();
    let engine = engine["response"]["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let session =
        server.post(&format!("/v1beta1/reasoningEngines/{engine}/sessions"), &json!({"userId": "u"}));
    let session = session.ok()["response"]["name"].as_str().unwrap().to_owned();
    let short = session.rsplit("/sessions/").next().unwrap();
    let path = format!("/colloquy/v1/reasoningEngines/{engine}/sessions/{short}/events:batchAppend");
    let answer = server.post(&path, &json!({"events": [event(T1, &json!({}))]})).ok();
    assert_eq!(answer["events"], json!([events(&server, &session)[0]["name"]]));
}
