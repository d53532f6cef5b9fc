//! Events: what is appended comes back.

use serde_json::{Value, json};

use crate::server::{Server, event};

fn events(server: &Server, session: &str, query: &str) -> Vec<Value> {
    let page = server.get(&format!("/v1beta1/{session}/events{query}")).ok();
    page["sessionEvents"].as_array().cloned().unwrap_or_default()
}

#[test]
fn an_event_comes_back_as_it_was_sent_with_a_name_of_ours() {
    let server = Server::start();
    let name = server.session();
    let sent = json!({
        "name": "not/ours",
        "author": "agent",
        "invocationId": "inv-1",
        "timestamp": "2025-01-01T05:30:02.5+05:30",
        "content": {"role": "model", "parts": [
            {"text": "hi <b>&amp; 日本 😀"},
            {"inlineData": {"mimeType": "image/png", "data": "-_8"}},
            {"functionCall": {"id": "c1", "name": "f", "args": {"x": [1, {"y": null}]}}, "thoughtSignature": "AAEC"},
            {"functionResponse": {"id": "c1", "name": "f", "response": {"r": true}}, "partMetadata": {"m": 1}},
        ]},
        "actions": {
            "skipSummarization": true, "stateDelta": {"k": "v"}, "artifactDelta": {"a.txt": 3}, "transferAgent": "b",
            "escalate": true, "requestedAuthConfigs": {"c": {}}, "requestedToolConfirmations": {"t": {"hint": "?"}},
            "endOfAgent": true,
        },
        "errorCode": "E", "errorMessage": "m",
        "eventMetadata": {
            "partial": true, "turnComplete": true, "interrupted": true, "longRunningToolIds": ["c1"], "branch": "a.b",
            "customMetadata": {"_usage_metadata": {"totalTokenCount": 5}}, "usageMetadata": {"promptTokenCount": 3},
            "groundingMetadata": {"webSearchQueries": ["q"], "groundingChunks": [{"web": {"uri": "u", "title": "t"}}]},
            "inputTranscription": {"text": "t", "finished": true},
        },
        "rawEvent": {"id": "uuid", "any": [1.5, "x", null]},
    });
    assert_eq!(server.post(&format!("/v1beta1/{name}:appendEvent"), &sent).ok(), json!({}));
    let mut back = events(&server, &name, "").remove(0);
    let given = back["name"].as_str().unwrap().to_owned();
    let id = given.strip_prefix(&format!("{name}/events/")).unwrap();
    assert!((18..=19).contains(&id.len()));
    let mut expected = sent;
    expected["timestamp"] = json!("2025-01-01T00:00:02.500Z");
    expected["content"]["parts"][1]["inlineData"]["data"] = json!("+/8=");
    back["name"] = json!("not/ours");
    assert_eq!(back, expected);
}

#[test]
fn snake_case_and_objects_for_times_are_understood() {
    let server = Server::start();
    let name = server.session();
    let sent = json!({
        "author": "a", "invocation_id": "i", "timestamp": {"seconds": "1735689602", "nanos": 5000},
        "content": {"parts": [{"inline_data": {"mime_type": "x/y", "data": "AA=="}}]},
        "actions": {"state_delta": {"k": 1}}, "event_metadata": {"turn_complete": true},
    });
    server.post(&format!("/v1beta1/{name}:appendEvent"), &sent).ok();
    let back = events(&server, &name, "").remove(0);
    assert_eq!(back["timestamp"], "2025-01-01T00:00:02.000005Z");
    assert_eq!(back["content"]["parts"][0]["inlineData"]["mimeType"], "x/y");
    assert_eq!(back["eventMetadata"]["turnComplete"], true);
    assert_eq!(server.read(&name)["sessionState"], json!({"k": 1}));
}

#[test]
fn members_that_are_always_there_are_there() {
    let server = Server::start();
    let name = server.session();
    let sent = json!({"author": "a", "invocationId": "i", "timestamp": "0001-01-01T00:00:00Z"});
    server.post(&format!("/v1beta1/{name}:appendEvent"), &sent).ok();
    let mut back = events(&server, &name, "").remove(0);
    back.as_object_mut().unwrap().remove("name");
    assert_eq!(
        back,
        json!({"author": "a", "invocationId": "i", "timestamp": "0001-01-01T00:00:00Z",
               "content": {}, "actions": {}, "eventMetadata": {}})
    );
}

#[test]
fn events_are_ordered_by_time_then_arrival() {
    let server = Server::start();
    let name = server.session();
    for (author, second) in [("c", 2), ("a", 1), ("d", 2), ("b", 1)] {
        let mut sent = event(&format!("2026-01-01T00:00:0{second}Z"), &json!({}));
        sent["author"] = json!(author);
        server.post(&format!("/v1beta1/{name}:appendEvent"), &sent).ok();
    }
    let authors = |query: &str| -> String {
        events(&server, &name, query)
            .iter()
            .map(|event| event["author"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(authors(""), "abcd");
    assert_eq!(authors("?orderBy=timestamp"), "abcd");
    assert_eq!(authors("?orderBy=timestamp%20desc"), "dcba");
    assert_eq!(authors("?filter=timestamp%3E%3D%222026-01-01T00:00:02%2B00:00%22"), "cd");
    assert_eq!(authors("?filter=timestamp%3C%222026-01-01T01:00:02%2B01:00%22"), "ab");
    assert_eq!(authors("?filter=author=a%20OR%20author=d"), "ad");
    assert_eq!(authors("?filter=invocation_id=none"), "");
}

#[test]
fn every_append_moves_the_update_time() {
    let server = Server::start();
    let name = server.session();
    let mut last = server.read(&name)["updateTime"].as_str().unwrap().to_owned();
    for _ in 0..5 {
        server.append(&name, "2020-01-01T00:00:00Z", &json!({}));
        let now = server.read(&name)["updateTime"].as_str().unwrap().to_owned();
        assert!(now > last, "{now} is not after {last}");
        last = now;
    }
    // An event far in the future does not take the update time with it.
    server.append(&name, "2999-01-01T00:00:00Z", &json!({}));
    assert!(server.read(&name)["updateTime"].as_str().unwrap() < "2999");
}
