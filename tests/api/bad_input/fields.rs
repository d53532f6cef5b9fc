//! What a resource cannot hold: unknown fields, wrong types, values that break a rule.

use serde_json::{Value, json};

use super::{Target, found};
use crate::server::LOCATION;

#[test]
fn unknown_fields_at_any_depth() {
    let target = Target::new();
    let unknown = |name: &str, place: &str| {
        format!("Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field.")
    };
    assert_eq!(target.create(&json!({"userId": "v", "foo": 1})), unknown("foo", "session"));
    assert_eq!(target.create(&json!({"session": {"userId": "v"}})), unknown("session", "session"));
    assert_eq!(target.update("", &json!({"displayName": "x", "foo": {}})), unknown("foo", "session"));
    for (members, expected) in [
        (json!({"foo": [[[1]]]}), unknown("foo", "event")),
        (json!({"id": "of ADK"}), unknown("id", "event")),
        (json!({"content": {"foo": 1}}), unknown("foo", "event.content")),
        (
            json!({"content": {"parts": [{"text": "x"}, {"inlineData": {"mimeType": "x/y", "foo": 1}}]}}),
            unknown("foo", "event.content.parts[1].inline_data"),
        ),
        (json!({"actions": {"transferToAgent": "x"}}), unknown("transferToAgent", "event.actions")),
        (
            json!({"eventMetadata": {"groundingMetadata": {"groundingChunks": [{"web": {"foo": 1}}]}}}),
            unknown("foo", "event.event_metadata.grounding_metadata.grounding_chunks[0].web"),
        ),
        (
            json!({"foo": 1, "actions": {"bar": 1, "state_deltas": {}}}),
            [
                unknown("bar", "event.actions"),
                unknown("state_deltas", "event.actions"),
                unknown("foo", "event"),
            ]
            .join("\n"),
        ),
    ] {
        assert_eq!(target.append(&members), expected);
    }
    let engines = format!("/v1beta1/{LOCATION}/reasoningEngines");
    let spec = json!({"spec": {"deploymentSpec": {"env": [{"name": "A", "worth": "b"}]}}});
    let place = "reasoning_engine.spec.deployment_spec.env[0]";
    assert_eq!(target.server.post(&engines, &spec).invalid(), unknown("worth", place));
    let engine = format!("/v1beta1/{}", target.engine);
    assert_eq!(
        target.server.client().send("DELETE", &engine, Some(&json!({"forced": true}))).invalid(),
        "Invalid JSON payload received. Unknown name \"forced\": Cannot find field."
    );
    target.assert_unharmed();
}

#[test]
fn wrong_types() {
    let target = Target::new();
    for (session, expected) in [
        (json!({"userId": 5}), "Invalid value at 'session.user_id' (TYPE_STRING), 5"),
        (
            json!({"userId": ["v"]}),
            "Invalid JSON payload received. Unknown name \"userId\" at 'session': Proto field is not repeating, \
             cannot start list.",
        ),
        (json!({"userId": {}}), "Invalid value at 'session.user_id' (TYPE_STRING), an object"),
        (json!({"labels": {"a": 1}}), "Invalid value at 'session.labels[\"a\"]' (TYPE_STRING), 1"),
        (
            json!({"labels": [1]}),
            "Invalid JSON payload received. Unknown name \"labels\" at 'session': Proto field is a map, cannot \
             start list.",
        ),
        (
            json!({"sessionState": "x"}),
            "Invalid value at 'session.session_state' (type.googleapis.com/google.protobuf.Struct), \"x\"",
        ),
        (
            json!({"ttl": 86400}),
            "Invalid value at 'session.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', Invalid \
             data type for duration, value is 86400",
        ),
        (
            json!({"ttl": "1 day"}),
            "Invalid value at 'session.ttl' (type.googleapis.com/google.protobuf.Duration), Field 'ttl', Illegal \
             duration format; duration must end with 's'.",
        ),
    ] {
        assert_eq!(target.create(&session), expected);
    }
    for (members, expected) in [
        (json!({"author": true}), "Invalid value at 'event.author' (TYPE_STRING), true"),
        (
            json!({"timestamp": "yesterday"}),
            "Invalid value at 'event.timestamp' (type.googleapis.com/google.protobuf.Timestamp), Field 'timestamp', \
             Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone offset.",
        ),
        (
            json!({"timestamp": {"seconds": "253402300800"}}),
            "Invalid value at 'event.timestamp' (type.googleapis.com/google.protobuf.Timestamp), The value is out \
             of range.",
        ),
        (
            json!({"content": {"parts": [{"text": "a"}, {"text": 1}]}}),
            "Invalid value at 'event.content.parts[1].text' (TYPE_STRING), 1",
        ),
        (
            json!({"content": {"parts": [{"inlineData": {"data": "%%%"}}]}}),
            "Invalid value at 'event.content.parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for \
             \"%%%\"",
        ),
        (
            json!({"content": {"parts": [{"functionCall": {"name": "f"}, "text": "a"}]}}),
            "Invalid value at 'event.content.parts[0]' (oneof), oneof field 'data' is already set. Cannot set \
             'text'",
        ),
        (
            json!({"actions": {"artifactDelta": {"a.txt": 2147483648u32}}}),
            "Invalid value at 'event.actions.artifact_delta[\"a.txt\"]' (TYPE_INT32), 2147483648",
        ),
        (
            json!({"actions": {"skipSummarization": "yes"}}),
            "Invalid value at 'event.actions.skip_summarization' (TYPE_BOOL), \"yes\"",
        ),
        (
            json!({"eventMetadata": {"longRunningToolIds": ["a", null]}}),
            "Invalid value at 'event.event_metadata.long_running_tool_ids[1]' (TYPE_STRING), null",
        ),
        (
            json!({"author": 1, "rawEvent": 2}),
            "Invalid value at 'event.author' (TYPE_STRING), 1\n\
             Invalid value at 'event.raw_event' (type.googleapis.com/google.protobuf.Struct), 2",
        ),
    ] {
        assert_eq!(target.append(&members), expected);
    }
    target.assert_unharmed();
}

#[test]
fn several_faults_are_numbered_in_one_message() {
    let target = Target::new();
    assert_eq!(
        target.create(&json!({"displayName": "x".repeat(129), "labels": {"env": "Prod"}, "ttl": "1s"})),
        "List of found errors:\
         \t1.Field: session.user_id; Message: Required field is not set.\
         \t2.Field: session.display_name; Message: At most 128 characters are allowed.\
         \t3.Field: session.labels; Message: Label value \"Prod\" of key \"env\" is invalid: a value has at most 64 \
         characters, and contains only lowercase letters, digits, underscores and dashes.\
         \t4.Field: session.ttl; Message: The ttl must be at least 24 hours (86400s).\t"
    );
    target.assert_unharmed();
}

#[test]
fn texts_that_are_too_long_or_hold_a_nul() {
    let target = Target::new();
    for (session, field, text) in [
        (json!({"userId": "é".repeat(129)}), "session.user_id", "At most 128 characters are allowed."),
        (json!({"userId": "a\0b"}), "session.user_id", "NUL characters are not allowed."),
        (
            json!({"userId": "v", "displayName": "x".repeat(100_000)}),
            "session.display_name",
            "At most 128 characters are allowed.",
        ),
    ] {
        assert_eq!(target.create(&session), found(field, text));
    }
    assert_eq!(
        target.update("?updateMask=displayName", &json!({"displayName": "é".repeat(129)})),
        found("session.display_name", "At most 128 characters are allowed.")
    );
    for (members, field, text) in [
        (json!({"author": "a".repeat(513)}), "event.author", "At most 512 characters are allowed."),
        (json!({"author": "a\0"}), "event.author", "NUL characters are not allowed."),
        (
            json!({"invocationId": "i".repeat(513)}),
            "event.invocation_id",
            "At most 512 characters are allowed.",
        ),
        (json!({"invocationId": "\0"}), "event.invocation_id", "NUL characters are not allowed."),
    ] {
        assert_eq!(target.append(&members), found(field, text));
    }
    let engines = format!("/v1beta1/{LOCATION}/reasoningEngines");
    let long = json!({"displayName": "x".repeat(129), "description": "x".repeat(2049)});
    let message = target.server.post(&engines, &long).invalid();
    assert!(message.contains("1.Field: reasoning_engine.display_name"), "{message}");
    assert!(message.contains("2.Field: reasoning_engine.description"), "{message}");
    target.assert_unharmed();
}

#[test]
fn lifetimes() {
    let target = Target::new();
    let short = "The ttl must be at least 24 hours (86400s).";
    let past = "The expire time must be at least 24 hours in the future.";
    let both = "Invalid value at 'session' (oneof), oneof field 'expiration' is already set. Cannot set";
    let late = "The session must end before the year 10000.";
    for (member, value, field, text) in [
        ("ttl", "86399.999999999s", "session.ttl", short),
        ("ttl", "0s", "session.ttl", short),
        ("ttl", "-86400s", "session.ttl", short),
        ("ttl", "315576000000s", "session.ttl", late),
        ("expireTime", "2020-01-01T00:00:00Z", "session.expire_time", past),
        ("expireTime", "0001-01-01T00:00:00Z", "session.expire_time", past),
    ] {
        assert_eq!(target.create(&json!({"userId": "u", member: value})), found(field, text), "{value}");
        assert_eq!(target.update("", &json!({member: value})), found(field, text), "{value}");
        assert_eq!(
            target.update(&format!("?updateMask={member}"), &json!({member: value})),
            found(field, text)
        );
    }
    let sent = json!({"userId": "u", "ttl": "86400s", "expireTime": "2999-01-01T00:00:00Z"});
    for message in [target.create(&sent), target.update("?updateMask=ttl", &sent)] {
        assert!(message.starts_with(both), "{message}");
    }
    target.assert_unharmed();
    // The last instant that there is can be asked for.
    let last = json!({"userId": "u", "expireTime": "9999-12-31T23:59:59.999999999Z"});
    let name = target.server.session_in(&target.engine, &last);
    assert_eq!(target.server.read(&name)["expireTime"], "9999-12-31T23:59:59.999999Z");
}

#[test]
fn labels_that_break_the_rules() {
    let target = Target::new();
    let (long, many) = ("k".repeat(65), (0..65).map(|n| (format!("k{n}"), json!("v"))).collect());
    for labels in [
        json!({"": "v"}),
        json!({"Env": "v"}),
        json!({"1a": "v"}),
        json!({"_a": "v"}),
        json!({"a.b": "v"}),
        json!({"a b": "v"}),
        json!({"env": "Prod"}),
        json!({"env": "a b"}),
        json!({"env": "a\0"}),
        json!({(&long): "v"}),
        json!({"env": (&long)}),
        Value::Object(many),
    ] {
        for message in [
            target.create(&json!({"userId": "u", "labels": labels})),
            target.update("?updateMask=labels", &json!({"labels": labels})),
        ] {
            assert!(
                message.starts_with("List of found errors:\t1.Field: session.labels; Message: "),
                "{message}"
            );
        }
        let engine = format!("/v1beta1/{}", target.engine);
        let message = target.server.patch(&engine, &json!({"labels": labels})).invalid();
        assert!(message.contains("1.Field: reasoning_engine.labels; Message: "), "{message}");
    }
    target.assert_unharmed();
}

#[test]
fn masks_that_name_what_cannot_be_updated() {
    let target = Target::new();
    for mask in
        ["foo", "displayName,foo", "session.display_name", "display_name.x", "labels.env", "a..b", "%00"]
    {
        let message = target.update(&format!("?updateMask={mask}"), &json!({"displayName": "x"}));
        assert!(message.starts_with("List of found errors:\t1.Field: update_mask; Message: "), "{message}");
        assert!(message.contains("updatable are display_name, labels, ttl and expire_time."), "{message}");
    }
    for mask in
        ["foo", "displayName,foo", "reasoningEngine.displayName", "displayName.x", "labels.env", "a..b"]
    {
        let path = format!("/v1beta1/{}?updateMask={mask}", target.engine);
        let message = target.server.patch(&path, &json!({"displayName": "x"})).invalid();
        assert!(message.contains("1.Field: update_mask; Message: The path \""), "{message}");
    }
    let long = target.update(&format!("?updateMask={}", "a".repeat(10_000)), &json!({}));
    assert!(long.len() < 300, "{long}");
    assert_eq!(
        target.update("", &json!({"userId": "other", "displayName": "x"})),
        found("session.user_id", "The field is immutable.")
    );
    assert_eq!(target.server.get(&format!("/v1beta1/{}", target.engine)).ok()["displayName"], "e");
    target.assert_unharmed();
}
