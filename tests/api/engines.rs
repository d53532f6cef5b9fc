//! Engines.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{LOCATION, Server};

#[test]
fn an_engine_keeps_everything_that_it_is_told() {
    let server = Server::start();
    let sent = json!({
        "displayName": "d", "description": "x", "labels": {"env": "test"},
        "spec": {
            "agentFramework": "google-adk", "classMethods": [{"name": "query", "api_mode": ""}], "serviceAccount": "s",
            "deploymentSpec": {"env": [{"name": "A", "value": "b"}], "minInstances": 1, "resourceLimits": {"cpu": "4"}},
            "packageSpec": {"pythonVersion": "3.12", "pickleObjectGcsUri": "gs://b/o"},
        },
        "contextSpec": {"memoryBankConfig": {"generationConfig": {"model": "m"}, "ttlConfig": {"defaultTtl": "86400s"}}},
        "encryptionSpec": {"kmsKeyName": "k"},
        "trafficConfig": {"trafficSplitAlwaysLatest": {}},
    });
    let operation = server.post(&format!("/v1beta1/{LOCATION}/reasoningEngines"), &sent).ok();
    assert_eq!(operation["done"], true);
    let mut engine = operation["response"].clone();
    assert_eq!(engine["@type"], "type.googleapis.com/google.cloud.aiplatform.v1beta1.ReasoningEngine");
    let name = engine["name"].as_str().unwrap().to_owned();
    assert!(name.rsplit('/').next().unwrap().bytes().all(|b| b.is_ascii_digit()));
    engine.as_object_mut().unwrap().remove("@type");
    assert_eq!(server.read(&name), engine);
    for member in ["name", "createTime", "updateTime", "etag"] {
        assert!(engine.as_object_mut().unwrap().remove(member).unwrap().is_string());
    }
    assert_eq!(engine, sent);
}

#[test]
fn an_update_reaches_into_the_spec_and_heeds_the_etag() {
    let server = Server::start();
    let name = server.engine();
    let patch = |mask: &str, body: Value| server.patch(&format!("/v1beta1/{name}?updateMask={mask}"), &body);
    let operation = patch(
        "spec.serviceAccount,description",
        json!({"description": "new", "spec": {"serviceAccount": "s"}}),
    )
    .ok();
    assert_eq!(
        operation["metadata"]["@type"],
        "type.googleapis.com/google.cloud.aiplatform.v1beta1.UpdateReasoningEngineOperationMetadata"
    );
    assert!(operation["name"].as_str().unwrap().starts_with(&format!("{name}/operations/")));
    let engine = server.read(&name);
    assert_eq!((&engine["displayName"], &engine["description"]), (&json!("e"), &json!("new")));
    assert_eq!(engine["spec"], json!({"serviceAccount": "s"}));
    patch("display_name", json!({"displayName": "x", "etag": engine["etag"]})).ok();
    let stale = patch("display_name", json!({"displayName": "y", "etag": engine["etag"]})).error(409);
    assert_eq!(stale["status"], "ABORTED");
    assert!(patch("nonsense", json!({})).invalid().contains("update_mask"));
    server.patch(&format!("/v1beta1/{name}"), &json!({"labels": {"a": "b"}})).ok();
    let engine = server.read(&name);
    assert_eq!((&engine["displayName"], &engine["labels"]), (&json!("x"), &json!({"a": "b"})));
}

#[test]
fn an_engine_with_sessions_goes_only_by_force() {
    let server = Server::start();
    let name = server.engine();
    let session = server.session_in(&name, &json!({"userId": "u"}));
    for n in 0..20 {
        server.append(&session, &format!("2026-01-01T00:00:{n:02}Z"), &json!({"app:k": n}));
    }
    let refused = server.delete(&format!("/v1beta1/{name}")).error(400);
    assert_eq!(refused["status"], "FAILED_PRECONDITION");
    assert_eq!(
        refused["message"],
        format!(
            "The ReasoningEngine \"{name}\" contains child resources: sessions. Please delete the child resources \
             before deleting the ReasoningEngine, or set force to true to delete child resources."
        )
    );
    // The Python SDK sends force in a body.
    let operation =
        server.client().send("DELETE", &format!("/v1beta1/{name}"), Some(&json!({"force": true}))).ok();
    assert!(operation["name"].as_str().unwrap().starts_with(&format!("{LOCATION}/operations/")));
    assert_eq!(
        server.get(&format!("/v1beta1/{name}")).error(404)["message"],
        "The ReasoningEngine does not exist."
    );
    server.get(&format!("/v1beta1/{session}")).error(404);
    let path = format!("/v1beta1/{}", operation["name"].as_str().unwrap());
    let patience = Instant::now() + Duration::from_secs(20);
    while server.get(&path).ok()["done"] != true {
        assert!(Instant::now() < patience, "the purge does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.get(&path).ok()["response"]["@type"], "type.googleapis.com/google.protobuf.Empty");
}

#[test]
fn an_engine_without_sessions_goes_at_once() {
    let server = Server::start();
    for query in ["", "?force=true"] {
        let name = server.engine();
        let operation = server.delete(&format!("/v1beta1/{name}{query}")).ok();
        assert_eq!(operation["done"], true);
        assert_eq!(operation["response"]["@type"], "type.googleapis.com/google.protobuf.Empty");
    }
}

#[test]
fn engines_are_listed_newest_first_by_pages_and_filters() {
    let server = Server::start();
    let mut names: Vec<_> = (0..5).map(|_| server.engine()).collect();
    names.reverse();
    let list = format!("/v1beta1/{LOCATION}/reasoningEngines");
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = server.get(&format!("{list}?pageSize=2&pageToken={token}")).ok();
        let engines = page["reasoningEngines"].as_array().unwrap();
        seen.extend(engines.iter().map(|engine| engine["name"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, names);
    assert_eq!(server.get(&format!("{list}?filter=display_name=%22none%22")).ok(), json!({}));
    assert_eq!(server.get("/v1beta1/projects/other/locations/us-central1/reasoningEngines").ok(), json!({}));
    // No name is needed: the SDK's shortest call gives none.
    server.post(&list, &json!({})).ok();
}
