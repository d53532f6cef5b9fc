//! What cannot name anything: in paths, and as an id of one's own.

use serde_json::json;

use super::{Target, encode, found};
use crate::server::{LOCATION, event};

#[test]
fn ids_that_no_session_can_have() {
    let target = Target::new();
    let rule = "A session id can only contain lowercase letters, digits and hyphens, must start and end with a letter \
                or digit, and is at most 63 characters long.";
    let (over, long, endless) = ("a".repeat(64), "a".repeat(300), "a".repeat(10_000));
    for id in [
        "UPPER",
        "under_score",
        "-edge",
        "edge-",
        "a b",
        "a.b",
        "é",
        "..",
        "a/b",
        "../../x",
        "a\0b",
        "\0",
        "a\nb",
        "%2e",
        "' OR 1=1 --",
        &over,
        &long,
        &endless,
    ] {
        let id = encode(id);
        let path = format!("{}/{id}", target.sessions());
        let sent = event("2026-01-01T00:00:00Z", &json!({}));
        let created =
            target.server.post(&format!("{}?sessionId={id}", target.sessions()), &json!({"userId": "u"}));
        assert_eq!(created.invalid(), found("session_id", rule));
        for (answer, expected) in [
            (target.server.get(&path), found("name", "Invalid Session resource name.")),
            (target.server.delete(&path), found("name", "Invalid Session resource name.")),
            (
                target.server.patch(&path, &json!({"displayName": "x"})),
                found("session.name", "Invalid Session resource name."),
            ),
            (
                target.server.get(&format!("{path}/events")),
                "Request contains an invalid argument.".to_owned(),
            ),
            (
                target.server.post(&format!("{path}:appendEvent"), &sent),
                "Request contains an invalid argument.".to_owned(),
            ),
        ] {
            assert_eq!(answer.invalid(), expected, "{id:.60}");
        }
    }
    target.assert_unharmed();
}

#[test]
fn names_that_are_no_names() {
    let target = Target::new();
    let (long, endless) = ("7".repeat(300), "7".repeat(10_000));
    for id in ["a/b", "../7", "7/sessions/1", "7\0", "\n", &long, &endless] {
        let path = format!("/v1beta1/{LOCATION}/reasoningEngines/{}", encode(id));
        for (answer, field) in [
            (target.server.get(&path), "name"),
            (target.server.delete(&format!("{path}?force=true")), "name"),
            (target.server.patch(&path, &json!({"displayName": "x"})), "reasoning_engine.name"),
            (target.server.get(&format!("{path}/sessions")), "parent"),
            (target.server.post(&format!("{path}/sessions"), &json!({"userId": "u"})), "parent"),
        ] {
            let message = answer.invalid();
            let expected = format!("1.Field: {field}; Message: Invalid resource name: a name of the form");
            assert!(message.contains(&expected), "{message}");
            assert!(message.len() < 300, "{message}");
        }
    }
    for project in ["a/b", "..", "p\0", &long] {
        let parent = format!("/v1beta1/projects/{}/locations/l/reasoningEngines", encode(project));
        // Two dots are a strange project, but nothing that a path could climb with.
        if project == ".." {
            assert_eq!(target.server.get(&parent).ok(), json!({}));
            continue;
        }
        assert!(target.server.get(&parent).invalid().contains("Field: parent"));
        assert!(target.server.post(&parent, &json!({})).invalid().contains("Field: parent"));
    }
    // An encoded slash stays within its segment, and never makes another path.
    let climbing = format!("/v1beta1/{}%2F..%2F..%2F{}", target.session, "x");
    target.server.get(&climbing).invalid();
    target.server.get(&format!("/v1beta1%2F{}", target.session)).error(404);
    target
        .server
        .delete(&target.session.replace('/', "%2F").replacen("projects", "/v1beta1/projects", 1))
        .error(404);
    target.assert_unharmed();
}
