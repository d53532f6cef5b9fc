//! Operations at every parent.

use serde_json::json;

use crate::server::{LOCATION, Server};

#[test]
fn an_operation_is_found_at_its_name_by_its_id_and_under_ui() {
    let server = Server::start();
    let engine = server.engine();
    let made = server.post(&format!("/v1beta1/{engine}/sessions"), &json!({"userId": "u"})).ok();
    let name = made["name"].as_str().unwrap();
    let id = name.rsplit('/').next().unwrap();
    let by_id = format!("{LOCATION}/operations/{id}");
    for path in [
        format!("/v1beta1/{name}"),
        format!("/ui/{name}"),
        format!("/v1beta1/{by_id}"),
        format!("/ui/{by_id}"),
    ] {
        assert_eq!(server.get(&path).ok(), made, "{path}");
    }
    let v1 = server.get(&format!("/v1/{name}")).ok();
    assert_eq!(v1["response"]["@type"], "type.googleapis.com/google.cloud.aiplatform.v1.Session");
    assert_eq!(
        v1["metadata"]["@type"],
        "type.googleapis.com/google.cloud.aiplatform.v1.CreateSessionOperationMetadata"
    );
    assert_eq!(server.client().send("POST", &format!("/v1beta1/{name}:wait?timeout=1s"), None).ok(), made);
    assert_eq!(server.client().send("POST", &format!("/v1beta1/{name}:cancel"), None).ok(), json!({}));
}

#[test]
fn operations_are_listed_under_their_parent_and_forgotten_on_request() {
    let server = Server::start();
    let session = server.session();
    let engine = session.split("/sessions/").next().unwrap();
    server.delete(&format!("/v1beta1/{}", server.session_in(engine, &json!({"userId": "u"})))).ok();
    for (parent, kind) in [
        (session.as_str(), "CreateSessionOperationMetadata"),
        (engine, "CreateReasoningEngineOperationMetadata"),
        (LOCATION, "DeleteOperationMetadata"),
    ] {
        let listed = server.get(&format!("/v1beta1/{parent}/operations?filter=done=true")).ok();
        let operations = listed["operations"].as_array().unwrap();
        assert_eq!(operations.len(), 1, "{parent}");
        let operation = &operations[0];
        assert!(operation["metadata"]["@type"].as_str().unwrap().ends_with(kind));
        let name = operation["name"].as_str().unwrap();
        assert!(name.starts_with(&format!("{parent}/operations/")));
        assert_eq!(server.delete(&format!("/v1beta1/{name}")).ok(), json!({}));
        server.get(&format!("/v1beta1/{name}")).error(404);
        assert_eq!(server.get(&format!("/v1beta1/{parent}/operations")).ok(), json!({}));
    }
}

#[test]
fn an_empty_text_for_no_body_is_no_body() {
    let server = Server::start();
    let engine = server.engine();
    let made = server.post(&format!("/v1beta1/{engine}/sessions"), &json!({"userId": "u"})).ok();
    let name = made["name"].as_str().unwrap();
    // The generated clients for Node send it.
    assert_eq!(server.post(&format!("/v1/{name}:cancel"), &json!("")).ok(), json!({}));
    assert_eq!(server.post(&format!("/v1/{name}:wait"), &json!("")).ok()["done"], true);
    server.post(&format!("/v1/{name}:cancel"), &json!("x")).invalid();
    server.post(&format!("/v1beta1/{engine}/sessions"), &json!("")).invalid();
}

#[test]
fn an_operation_goes_with_its_parent() {
    let server = Server::start();
    let engine = server.engine();
    let made = server.post(&format!("/v1beta1/{engine}/sessions"), &json!({"userId": "u"})).ok();
    let session = made["response"]["name"].as_str().unwrap();
    server.delete(&format!("/v1beta1/{session}")).ok();
    let error = server.get(&format!("/v1beta1/{}", made["name"].as_str().unwrap())).error(404);
    assert!(error["message"].as_str().unwrap().contains("not found"));
}

#[test]
fn what_is_no_operation_is_not_found() {
    let server = Server::start();
    for id in ["1", "abc", "007", "+7", "99999999999999999999999"] {
        server.get(&format!("/v1beta1/{LOCATION}/operations/{id}")).error(404);
    }
}
