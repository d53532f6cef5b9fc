//! The errors of the live service, to the letter (contract section 3).

use serde_json::{Value, json};

use crate::client::Answer;
use crate::server::{LOCATION, Server, event};

const REQUIRED: &str = "Required field is not set.";
const INVALID: &str = "Request contains an invalid argument.";
const NO_ENGINE: &str = "The ReasoningEngine does not exist.";

/// The whole body of an error; `fields` are the violations that it details.
fn body(code: u16, status: &str, message: &str, fields: &[(&str, &str)]) -> Value {
    let mut error = json!({"code": code, "message": message, "status": status});
    if !fields.is_empty() {
        let violation = |(field, text): &(&str, &str)| json!({"field": field, "description": text});
        error["details"] = json!([{
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": fields.iter().map(violation).collect::<Vec<_>>(),
        }]);
    }
    json!({"error": error})
}

fn assert_error(answer: &Answer, code: u16, status: &str, message: &str, fields: &[(&str, &str)]) {
    assert_eq!(answer.json(), body(code, status, message, fields));
    assert_eq!(answer.status, code, "{message}");
}

/// The frame of the validator, and what it details.
fn assert_found(answer: &Answer, fields: &[(&str, &str)]) {
    let mut message = "List of found errors:".to_owned();
    for (index, (field, text)) in fields.iter().enumerate() {
        message.push_str(&format!("\t{}.Field: {field}; Message: {text}", index + 1));
    }
    message.push('\t');
    assert_error(answer, 400, "INVALID_ARGUMENT", &message, fields);
}

#[test]
fn a_session_that_is_not_there_is_named_as_it_was_asked() {
    let server = Server::start_with(&["--project-number", "demo=123"]);
    let engine = server.engine();
    for project in ["123", "demo"] {
        let engine = engine.replacen("123", project, 1);
        let name = format!("{engine}/sessions/gone");
        for version in ["v1", "v1beta1"] {
            let path = format!("/{version}/{name}");
            let appended =
                server.post(&format!("{path}:appendEvent"), &event("2026-01-01T00:00:00Z", &json!({})));
            for answer in [
                server.get(&path),
                server.get(&format!("{path}/events")),
                appended,
                server.patch(&path, &json!({"displayName": "d"})),
                server.delete(&path),
            ] {
                assert_error(&answer, 404, "NOT_FOUND", &format!("Session {name} not found."), &[]);
            }
        }
    }
}

#[test]
fn an_engine_that_is_not_there_does_not_exist() {
    let server = Server::start();
    for id in ["1491331942182813696", "not-a-number"] {
        let path = format!("/v1beta1/{LOCATION}/reasoningEngines/{id}");
        for answer in [
            server.get(&path),
            server.patch(&path, &json!({"displayName": "d"})),
            server.delete(&path),
            server.delete(&format!("{path}?force=true")),
            server.get(&format!("{path}/sessions")),
            server.post(&format!("{path}/sessions"), &json!({"userId": "u"})),
        ] {
            assert_error(&answer, 404, "NOT_FOUND", NO_ENGINE, &[]);
        }
    }
}

#[test]
fn required_fields_are_named_all_at_once_and_before_the_session_is_looked_for() {
    let server = Server::start();
    let engine = server.engine();
    let full = event("2026-01-01T00:00:00Z", &json!({}));
    for session in
        [server.session_in(&engine, &json!({"userId": "u"})), format!("{engine}/sessions/session2")]
    {
        let path = format!("/v1beta1/{session}:appendEvent");
        let mut missing = Vec::new();
        let mut sent = full.clone();
        for (member, field) in [
            ("timestamp", "event.timestamp"),
            ("invocationId", "event.invocation_id"),
            ("author", "event.author"),
        ] {
            let mut without_one = full.clone();
            without_one.as_object_mut().unwrap().remove(member);
            assert_found(&server.post(&path, &without_one), &[(field, REQUIRED)]);
            // The messages count in the order of the fields, whatever was left out first.
            missing.insert(0, (field, REQUIRED));
            sent.as_object_mut().unwrap().remove(member);
            assert_found(&server.post(&path, &sent), &missing);
        }
        // An empty text is no text, and null is nothing.
        let blank = json!({"author": "", "invocationId": null, "timestamp": "2026-01-01T00:00:00Z"});
        assert_found(
            &server.post(&path, &blank),
            &[("event.author", REQUIRED), ("event.invocation_id", REQUIRED)],
        );
        assert_found(&server.client().send("POST", &path, None), &[("event", REQUIRED)]);
    }
    let path = format!("/v1beta1/{engine}/sessions");
    assert_found(&server.post(&path, &json!({"displayName": "d"})), &[("session.user_id", REQUIRED)]);
    assert_found(&server.client().send("POST", &path, None), &[("session", REQUIRED)]);
    let engines = format!("/v1beta1/{LOCATION}/reasoningEngines");
    assert_found(&server.client().send("POST", &engines, None), &[("reasoning_engine", REQUIRED)]);
}

#[test]
fn a_malformed_session_id_is_told_differently_from_method_to_method() {
    let server = Server::start();
    let engine = server.engine();
    // Also where the engine is not there: names are read first.
    for engine in [engine, format!("{LOCATION}/reasoningEngines/999")] {
        for id in ["nonExistent", "under_score", "-edge", "edge-", "D3B07384-D9A0-4E3B-8B1C-0123456789AB"] {
            let path = format!("/v1beta1/{engine}/sessions/{id}");
            let invalid = "Invalid Session resource name.";
            assert_found(&server.get(&path), &[("name", invalid)]);
            assert_found(&server.delete(&path), &[("name", invalid)]);
            let patched = server.patch(&path, &json!({"displayName": "d"}));
            assert_found(&patched, &[("session.name", invalid)]);
            let appended =
                server.post(&format!("{path}:appendEvent"), &event("2026-01-01T00:00:00Z", &json!({})));
            for answer in [server.get(&format!("{path}/events")), appended] {
                assert_error(&answer, 400, "INVALID_ARGUMENT", INVALID, &[]);
            }
        }
    }
}

#[test]
fn an_id_that_is_taken_is_an_invalid_argument_and_names_the_project_by_its_number() {
    let server = Server::start_with(&["--project-number", "demo=123"]);
    let engine = server.engine();
    let named = engine.replacen("123", "demo", 1);
    let message = format!("Session with user-provided ID '{engine}/sessions/mine' already exists.");
    server.post(&format!("/v1beta1/{engine}/sessions?sessionId=mine"), &json!({"userId": "u"})).ok();
    for (version, engine) in [("v1beta1", &engine), ("v1", &engine), ("v1beta1", &named)] {
        let path = format!("/{version}/{engine}/sessions?sessionId=mine");
        let answer = server.post(&path, &json!({"userId": "other"}));
        assert_error(&answer, 400, "INVALID_ARGUMENT", &message, &[]);
    }
}

#[test]
fn one_of_many_has_the_id() {
    let server = Server::start();
    let engine = server.engine();
    let path = format!("/v1beta1/{engine}/sessions?sessionId=mine");
    let taken = format!("Session with user-provided ID '{engine}/sessions/mine' already exists.");
    let answers = std::thread::scope(|scope| {
        let create = |user: usize| server.post(&path, &json!({"userId": format!("u{user}")}));
        let threads: Vec<_> = (0..8).map(|user| scope.spawn(move || create(user))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 7));
    for answer in refused {
        assert_error(&answer, 400, "INVALID_ARGUMENT", &taken, &[]);
    }
    let session = server.read(&format!("{engine}/sessions/mine"));
    assert_eq!(session["userId"], made[0].ok()["response"]["userId"]);
}

#[test]
fn the_state_changes_by_events_only() {
    let server = Server::start();
    let name = server.session();
    let path = format!("/v1beta1/{name}");
    let message = format!(
        "Can't update the session state for session [{name}], you can only update it by appending an event."
    );
    let state = json!({"sessionState": {"k": 1}, "displayName": "d"});
    for query in ["", "?updateMask=sessionState", "?updateMask=display_name,session_state", "?updateMask=*"] {
        let answer = server.patch(&format!("{path}{query}"), &state);
        assert_error(&answer, 400, "INVALID_ARGUMENT", &message, &[]);
    }
    assert_eq!(server.read(&name).get("displayName"), None);
}

#[test]
fn an_engine_with_sessions_is_a_failed_precondition_under_400() {
    let server = Server::start();
    let session = server.session();
    let engine = session.split("/sessions/").next().unwrap();
    let message = format!(
        "The ReasoningEngine \"{engine}\" contains child resources: sessions. Please delete the child \
         resources before deleting the ReasoningEngine, or set force to true to delete child resources."
    );
    for query in ["", "?force=false"] {
        let answer = server.delete(&format!("/v1beta1/{engine}{query}"));
        assert_error(&answer, 400, "FAILED_PRECONDITION", &message, &[]);
    }
    server.read(&session);
}

#[test]
fn a_number_is_no_timestamp() {
    let server = Server::start();
    let path = format!("/v1beta1/{}:appendEvent", server.session());
    let answer =
        server.post(&path, &json!({"author": "a", "invocationId": "i", "timestamp": 1777227316.81987}));
    let message = "Invalid value at 'event.timestamp' (type.googleapis.com/google.protobuf.Timestamp), \
                   Field 'timestamp', Invalid data type for timestamp, value is 1777227316.81987";
    assert_error(&answer, 400, "INVALID_ARGUMENT", message, &[("event.timestamp", message)]);
}

#[test]
fn what_is_no_path_is_not_found_in_json() {
    let server = Server::start();
    let session = server.session();
    for (method, path) in [
        ("GET", "/".to_owned()),
        ("GET", "/v1".to_owned()),
        ("POST", "/v1beta1/projects/p".to_owned()),
        ("GET", "/v2/projects/p/locations/l/reasoningEngines".to_owned()),
        ("GET", format!("/v1beta1/{session}/")),
        ("GET", format!("//v1beta1/{session}")),
        ("GET", format!("/v1beta1/{session}/events/1")),
        ("DELETE", format!("/v1beta1/{session}/events/1")),
        ("POST", format!("/v1beta1/{session}:nothing")),
        ("GET", format!("/ui/{session}")),
        ("GET", "/healthz/more".to_owned()),
        ("OPTIONS", "*".to_owned()),
    ] {
        let answer = server.client().send(method, &path, None);
        let message = format!("The requested URL {path} was not found on this server.");
        assert_error(&answer, 404, "NOT_FOUND", &message, &[]);
    }
    let endless = server.get(&format!("/{}", "x".repeat(20_000)));
    assert!(endless.error(404)["message"].as_str().unwrap().len() < 300);
}

#[test]
fn a_method_that_a_path_does_not_have_is_told_which_it_has() {
    let server = Server::start();
    let session = server.session();
    let engine = session.split("/sessions/").next().unwrap();
    for (method, path, allowed) in [
        ("POST", format!("/v1beta1/{session}"), "DELETE GET PATCH"),
        ("PUT", format!("/v1/{session}"), "DELETE GET PATCH"),
        ("DELETE", format!("/v1beta1/{engine}/sessions"), "GET POST"),
        ("GET", format!("/v1beta1/{session}:appendEvent"), "POST"),
        ("POST", format!("/v1beta1/{session}/events"), "GET"),
        ("PATCH", format!("/v1/{LOCATION}/reasoningEngines"), "GET POST"),
        ("GET", format!("/v1beta1/{LOCATION}/operations/1:wait"), "POST"),
        ("PROPFIND", format!("/v1beta1/{engine}"), "DELETE GET PATCH"),
    ] {
        let answer = server.client().send(method, &path, None);
        assert_eq!(answer.error(405)["status"], "UNIMPLEMENTED", "{method} {path}");
        let mut methods: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
        methods.sort_unstable();
        assert_eq!(methods.join(" "), allowed, "{method} {path}");
    }
    server.read(&session);
}

#[test]
fn every_answer_has_the_headers_of_the_live_service() {
    let server = Server::start_with(&["--max-body-bytes", "100"]);
    let session = server.session();
    let path = format!("/v1beta1/{session}");
    for (code, answer) in [
        (200, server.get(&path)),
        (404, server.get(&format!("{path}x"))),
        (404, server.get("/nothing")),
        (405, server.client().send("PUT", &path, None)),
        (400, server.client().send_bytes("PATCH", &path, Some(b"no json"))),
        (413, server.client().send_bytes("PATCH", &path, Some(&[b' '; 101]))),
    ] {
        assert_eq!(answer.status, code);
        for (name, value) in [
            ("content-type", "application/json; charset=UTF-8"),
            ("vary", "Origin, X-Origin, Referer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-xss-protection", "0"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{code}");
        }
    }
}
