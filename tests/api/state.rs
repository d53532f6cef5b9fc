//! State: scopes, merging, null.

use serde_json::json;

use crate::server::{Server, event};

#[test]
fn deltas_merge_key_by_key_in_their_scopes() {
    let server = Server::start();
    let engine = server.engine();
    let session = |user: &str| server.session_in(&engine, &json!({"userId": user}));
    let (first, same_user, other_user) = (session("alice"), session("alice"), session("bob"));
    let before = server.read(&same_user)["updateTime"].clone();
    server.append(
        &first,
        "2026-01-01T00:00:00Z",
        &json!({"own": 1, "user:u": {"deep": [1, null]}, "app:a": "x", "temp:t": true}),
    );
    server.append(&first, "2026-01-01T00:00:01Z", &json!({"own2": 2, "user:u": {"replaced": true}}));
    assert_eq!(
        server.read(&first)["sessionState"],
        json!({"own": 1, "own2": 2, "user:u": {"replaced": true}, "app:a": "x"})
    );
    let seen = server.read(&same_user);
    assert_eq!(seen["sessionState"], json!({"user:u": {"replaced": true}, "app:a": "x"}));
    assert_eq!(seen["updateTime"], before);
    assert_eq!(server.read(&other_user)["sessionState"], json!({"app:a": "x"}));
    let listed = server.get(&format!("/v1beta1/{engine}/sessions?filter=user_id=bob")).ok();
    assert_eq!(listed["sessions"][0]["sessionState"], json!({"app:a": "x"}));
    // What is kept in the event is what was sent.
    let events = server.get(&format!("/v1beta1/{first}/events")).ok();
    assert_eq!(events["sessionEvents"][0]["actions"]["stateDelta"]["temp:t"], true);
}

#[test]
fn shared_state_outlives_its_sessions() {
    let server = Server::start();
    let engine = server.engine();
    let state = json!({"own": 1, "user:u": 2, "app:a": 3, "temp:t": 4});
    let name = server.session_in(&engine, &json!({"userId": "alice", "sessionState": state}));
    assert_eq!(server.read(&name)["sessionState"], json!({"own": 1, "user:u": 2, "app:a": 3}));
    server.delete(&format!("/v1beta1/{name}")).ok();
    let next = server.session_in(&engine, &json!({"userId": "alice"}));
    assert_eq!(server.read(&next)["sessionState"], json!({"user:u": 2, "app:a": 3}));
    let operation = server.post(&format!("/v1beta1/{engine}/sessions"), &json!({"userId": "bob"})).ok();
    assert_eq!(operation["response"]["sessionState"], json!({"app:a": 3}));
}

#[test]
fn null_is_a_value_and_deletes_nothing() {
    let server = Server::start();
    let name = server.session();
    server.append(&name, "2026-01-01T00:00:00Z", &json!({"k": 1, "app:k": 1, "user:k": 1}));
    server.append(&name, "2026-01-01T00:00:01Z", &json!({"k": null, "app:k": null, "user:k": null}));
    assert_eq!(server.read(&name)["sessionState"], json!({"k": null, "app:k": null, "user:k": null}));
}

#[test]
fn numbers_are_doubles() {
    let server = Server::start();
    let name = server.session();
    let delta = r#"{"big": 9007199254740993, "whole": 1.0, "small": 0.1, "negative": -7}"#;
    let body = format!(
        r#"{{"author":"a","invocationId":"i","timestamp":"2026-01-01T00:00:00Z","actions":{{"stateDelta":{delta}}}}}"#
    );
    server.client().send_bytes("POST", &format!("/v1beta1/{name}:appendEvent"), Some(body.as_bytes())).ok();
    let raw = server.get(&format!("/v1beta1/{name}?fields=sessionState")).body;
    assert_eq!(
        String::from_utf8(raw).unwrap(),
        r#"{"sessionState":{"big":9007199254740992,"negative":-7,"small":0.1,"whole":1}}"#
    );
}

#[test]
fn no_state_is_no_member() {
    let server = Server::start();
    let name = server.session_in(&server.engine(), &json!({"userId": "u", "sessionState": {}}));
    assert_eq!(server.read(&name).get("sessionState"), None);
}

#[test]
fn a_state_that_grows_too_large_is_refused_whole() {
    let server = Server::start_with(&["--max-state-bytes", "1000", "--max-event-bytes", "5000"]);
    let name = server.session();
    server.append(&name, "2026-01-01T00:00:00Z", &json!({"a": "x".repeat(900)}));
    let path = format!("/v1beta1/{name}:appendEvent");
    let refused = server.post(&path, &event("2026-01-01T00:00:01Z", &json!({"b": "y".repeat(200)})));
    assert!(refused.invalid().contains("at most 1000 bytes"));
    let refused = server.post(&path, &event("2026-01-01T00:00:01Z", &json!({"temp:b": "y".repeat(6_000)})));
    assert!(refused.invalid().contains("at most 5000 bytes"));
    assert_eq!(
        server.get(&format!("/v1beta1/{name}/events")).ok()["sessionEvents"].as_array().unwrap().len(),
        1
    );
    server.append(&name, "2026-01-01T00:00:02Z", &json!({"a": "short"}));
    server.append(&name, "2026-01-01T00:00:03Z", &json!({"b": "y".repeat(200)}));
}
