//! A session's life.

use serde_json::{Value, json};

use crate::server::{LOCATION, Server};

fn seconds_between(from: &Value, to: &Value) -> i64 {
    let seconds = |value: &Value| {
        let text = value.as_str().unwrap();
        let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap();
        let date: Vec<i64> = date.split('-').map(|part| part.parse().unwrap()).collect();
        let time: Vec<f64> = time.split(':').map(|part| part.parse().unwrap()).collect();
        // Days of the civil calendar since 0000-03-01.
        let (year, month) = if date[1] > 2 { (date[0], date[1] - 3) } else { (date[0] - 1, date[1] + 9) };
        let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + date[2];
        days as f64 * 86_400.0 + time[0] * 3_600.0 + time[1] * 60.0 + time[2]
    };
    (seconds(to) - seconds(from)).round() as i64
}

#[test]
fn create_answers_a_finished_operation_with_the_whole_session() {
    let server = Server::start();
    let engine = server.engine();
    let operation = server
        .post(
            &format!("/v1beta1/{engine}/sessions"),
            &json!({"userId": "alice", "displayName": "d", "labels": {"env": "test"}, "sessionState": {"k": 5}}),
        )
        .ok();
    let name = operation["response"]["name"].as_str().unwrap();
    let id = name.rsplit('/').next().unwrap();
    assert!(name.starts_with(&format!("{engine}/sessions/")));
    assert!((18..=19).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    assert_eq!(operation["done"], true);
    assert!(operation["name"].as_str().unwrap().starts_with(&format!("{name}/operations/")));
    assert_eq!(
        operation["metadata"]["@type"],
        "type.googleapis.com/google.cloud.aiplatform.v1beta1.CreateSessionOperationMetadata"
    );
    let response = &operation["response"];
    assert_eq!(response["@type"], "type.googleapis.com/google.cloud.aiplatform.v1beta1.Session");
    assert_eq!(response["sessionState"], json!({"k": 5}));
    assert_eq!(seconds_between(&response["createTime"], &response["expireTime"]), 365 * 86_400);
    let mut session = server.read(name);
    assert_eq!(session["userId"], "alice");
    session["@type"] = response["@type"].clone();
    assert_eq!(&session, response);
}

#[test]
fn a_session_lives_as_long_as_it_is_told() {
    let server = Server::start();
    let engine = server.engine();
    let create = |session: Value| server.read(&server.session_in(&engine, &session));
    let session = create(json!({"userId": "u", "ttl": "86400s"}));
    assert_eq!(seconds_between(&session["createTime"], &session["expireTime"]), 86_400);
    let session = create(json!({"userId": "u", "expireTime": "2999-01-01T00:00:00.123456Z"}));
    assert_eq!(session["expireTime"], "2999-01-01T00:00:00.123456Z");
    let name = session["name"].as_str().unwrap();
    let updated = server.patch(&format!("/v1beta1/{name}?updateMask=ttl"), &json!({"ttl": "172800s"})).ok();
    assert_eq!(seconds_between(&updated["updateTime"], &updated["expireTime"]), 172_800);
}

#[test]
fn an_id_of_ones_own_names_the_session_and_cannot_be_had_twice() {
    let server = Server::start();
    let engine = server.engine();
    let path = format!("/v1beta1/{engine}/sessions?sessionId=se-r31");
    let operation = server.post(&path, &json!({"userId": "u"})).ok();
    assert_eq!(operation["response"]["name"], format!("{engine}/sessions/se-r31"));
    assert_eq!(
        server.post(&path, &json!({"userId": "u"})).invalid(),
        format!("Session with user-provided ID '{engine}/sessions/se-r31' already exists.")
    );
    server.delete(&format!("/v1beta1/{engine}/sessions/se-r31")).ok();
    server.post(&path, &json!({"userId": "u"})).ok();
}

#[test]
fn an_update_changes_what_its_mask_names() {
    let server = Server::start();
    let engine = server.engine();
    let name = server.session_in(&engine, &json!({"userId": "u", "displayName": "a", "labels": {"k": "v"}}));
    let before = server.read(&name);
    // The SDKs send the user id along, and the session's id in the query.
    let path = format!("/v1beta1/{name}?updateMask=displayName&sessionId=x");
    let after = server.patch(&path, &json!({"userId": "u", "displayName": "b", "labels": {"x": "y"}})).ok();
    assert_eq!(after["displayName"], "b");
    assert_eq!(after["labels"], json!({"k": "v"}));
    assert!(after["updateTime"].as_str() > before["updateTime"].as_str());
    assert_eq!(after["expireTime"], before["expireTime"]);
    let cleared = server.patch(&format!("/v1beta1/{name}?updateMask=display_name,labels"), &json!({})).ok();
    assert_eq!((cleared.get("displayName"), cleared.get("labels")), (None, None));
    let unmasked = server.patch(&format!("/v1beta1/{name}"), &json!({"displayName": "c"})).ok();
    assert_eq!(unmasked["displayName"], "c");
    assert_eq!(unmasked, server.read(&name));
}

#[test]
fn the_state_and_the_user_are_not_for_updates_to_change() {
    let server = Server::start();
    let name = server.session();
    let state = json!({"sessionState": {"k": 1}});
    let expected = format!(
        "Can't update the session state for session [{name}], you can only update it by appending an event."
    );
    for path in ["", "?updateMask=sessionState", "?updateMask=session_state,displayName"] {
        assert_eq!(server.patch(&format!("/v1beta1/{name}{path}"), &state).invalid(), expected);
    }
    let other = server.patch(&format!("/v1beta1/{name}?updateMask=displayName"), &json!({"userId": "other"}));
    assert!(other.invalid().contains("session.user_id"));
}

#[test]
fn a_deleted_session_is_gone_at_once() {
    let server = Server::start();
    let name = server.session();
    server.append(&name, "2026-01-01T00:00:00Z", &json!({}));
    let operation = server.delete(&format!("/v1beta1/{name}")).ok();
    assert!(operation["name"].as_str().unwrap().starts_with(&format!("{LOCATION}/operations/")));
    assert_eq!(operation["done"], true);
    assert_eq!(operation["response"], json!({"@type": "type.googleapis.com/google.protobuf.Empty"}));
    assert_eq!(
        operation["metadata"]["@type"],
        "type.googleapis.com/google.cloud.aiplatform.v1beta1.DeleteOperationMetadata"
    );
    for path in [format!("/v1beta1/{name}"), format!("/v1beta1/{name}/events")] {
        let error = server.get(&path).error(404);
        assert_eq!(error["message"], format!("Session {name} not found."));
        assert_eq!(error["status"], "NOT_FOUND");
    }
    server.delete(&format!("/v1beta1/{name}")).error(404);
}

#[test]
fn without_a_project_the_configured_one_is_meant() {
    let server = Server::start_with(&["--express-project", "exp", "--express-location", "home"]);
    let operation = server.post("/v1beta1/reasoningEngines", &json!({"displayName": "e"})).ok();
    let engine = operation["response"]["name"].as_str().unwrap();
    let (parent, id) = engine.split_once("/reasoningEngines/").unwrap();
    assert_eq!(parent, "projects/exp/locations/home");
    let short = format!("reasoningEngines/{id}");
    let session = server.session_in(&short, &json!({"userId": "u"}));
    assert!(session.starts_with(engine));
    let short = format!("{short}/sessions/{}", session.rsplit('/').next().unwrap());
    assert_eq!(server.read(&short), server.read(&session));
    server.append(&short, "2026-01-01T00:00:00Z", &json!({}));
    assert_eq!(server.get(&format!("/v1/{short}/events")).ok()["sessionEvents"].as_array().unwrap().len(), 1);
}

#[test]
fn a_project_has_an_id_and_a_number_where_they_are_tied() {
    let server = Server::start_with(&["--project-number", "demo=123"]);
    let engine = server.engine();
    let named = engine.replacen("projects/123", "projects/demo", 1);
    let session = server.session_in(&named, &json!({"userId": "u"}));
    assert!(session.starts_with("projects/demo/"));
    let numbered = session.replacen("projects/demo", "projects/123", 1);
    assert_eq!(server.read(&numbered)["name"], numbered);
    assert_eq!(server.read(&session)["name"], session);
}

#[test]
fn engines_spring_up_where_the_server_is_told_so() {
    let path = format!("/v1beta1/{LOCATION}/reasoningEngines/42/sessions");
    let server = Server::start();
    let error = server.post(&path, &json!({"userId": "u"})).error(404);
    assert_eq!(error["message"], "The ReasoningEngine does not exist.");
    let server = Server::start_with(&["--auto-create-engines"]);
    assert_eq!(server.get(&path).ok(), json!({}));
    server.post(&path, &json!({"userId": "u"})).ok();
    assert_eq!(server.get(&path).ok()["sessions"].as_array().unwrap().len(), 1);
}
