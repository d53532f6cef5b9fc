//! What is no JSON, or no text at all; and keys that only look strange.

use serde_json::{Value, json};

use super::Target;

#[test]
fn json_that_nests_without_end() {
    let target = Target::new();
    for levels in [101, 1_000, 200_000] {
        for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
            let nested = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let unclosed = open.repeat(levels);
            for inner in [nested, unclosed] {
                let session = format!("{{\"userId\":\"u\",\"sessionState\":{{\"x\":{inner}}}}}");
                let event = format!("{{\"rawEvent\":{{\"x\":{inner}}},\"author\":\"a\"}}");
                for (path, body) in [(target.sessions(), session), (target.append_path(), event)] {
                    let answer = target.server.client().send_bytes("POST", &path, Some(body.as_bytes()));
                    let message = answer.invalid();
                    let expected = "Invalid JSON payload received. The JSON nests deeper than 100 levels.";
                    assert_eq!(message, expected, "{levels} {open}");
                    assert!(answer.body.len() < 10_000);
                }
            }
        }
        // What is not known is not descended into.
        for message in
            target.raw(format!("{{\"foo\":{}{}}}", "[".repeat(levels), "]".repeat(levels)).as_bytes())
        {
            assert!(message.contains("Cannot find field"), "{message}");
        }
        for message in target.raw("[".repeat(levels).as_bytes()) {
            assert!(message.starts_with("Inval"), "{message}");
        }
    }
    target.assert_unharmed();
}

#[test]
fn text_that_is_no_json() {
    let target = Target::new();
    for (body, part) in [
        (&b"no json"[..], "expected ident at line 1 column 2."),
        (b"{", "EOF while parsing an object at line 1 column 1."),
        (b"{\"name\":\"x\"", "EOF while parsing an object at line 1 column 11."),
        (b"{\"name\":\"x\",}", "trailing comma at line 1 column 13."),
        (b"{'name':'x'}", "key must be a string at line 1 column 2."),
        (b"{name:\"x\"}", "key must be a string at line 1 column 2."),
        (b"{} {}", "trailing characters at line 1 column 4."),
        (b"\xef\xbb\xbf{}", "expected value at line 1 column 1."),
        (b"{\"name\":\"a\x01b\"}", "control character"),
        // Not UTF-8: a stray byte, an overlong NUL, a surrogate of its own.
        (b"{\"name\":\"\xff\"}", "The body is not valid UTF-8."),
        (b"{\"name\":\"\xc0\x80\"}", "The body is not valid UTF-8."),
        (b"{\"name\":\"\xed\xa0\x80\"}", "The body is not valid UTF-8."),
        (b"{\"\xff\":1}", "The body is not valid UTF-8."),
        (b"\xff\xfe{\0}\0", "The body is not valid UTF-8."),
        // Surrogates without their other half, in values and names.
        (b"{\"name\":\"\\ud800\"}", "hex escape at line 1"),
        (b"{\"name\":\"\\udc00\"}", "lone leading surrogate in hex escape at line 1"),
        (b"{\"name\":\"\\ud83d\\u0041\"}", "lone leading surrogate in hex escape at line 1"),
        (b"{\"\\ud800\":1}", "hex escape at line 1"),
        // Numbers that no double holds.
        (b"{\"name\":1e400}", "number out of range at line 1"),
        (b"{\"name\":-1e400}", "number out of range at line 1"),
        (b"{\"name\":NaN}", "expected value at line 1"),
        (b"{\"name\":Infinity}", "expected value at line 1"),
        (b"{\"name\":+1}", "expected value at line 1"),
        (b"{\"name\":01}", "invalid number at line 1"),
    ] {
        for message in target.raw(body) {
            assert!(message.starts_with("Invalid JSON payload received. "), "{message}");
            assert!(message.contains(part), "{message} has no {part}");
        }
    }
    for body in ["[]", "5", "\"x\"", "null", "true"] {
        for message in target.raw(body.as_bytes()) {
            assert!(message.starts_with("Invalid value at '"), "{message}");
        }
    }
    // The same within the structures that hold whatever they are given.
    for value in ["1e400", "-1e400", "\"\\ud800\"", "\"\\udc00x\""] {
        for member in ["rawEvent", "actions\":{\"stateDelta"] {
            let close = if member.contains('{') { "}" } else { "" };
            let body = format!("{{\"{member}\":{{\"x\":[{value}]}}{close}}}");
            let answer =
                target.server.client().send_bytes("POST", &target.append_path(), Some(body.as_bytes()));
            assert!(answer.invalid().starts_with("Invalid JSON payload received. "), "{body}");
        }
    }
    target.assert_unharmed();
}

#[test]
fn query_strings_that_are_no_text() {
    let target = Target::new();
    for path in [target.sessions(), format!("/v1beta1/{}/events", target.session)] {
        for query in ["filter=%ff", "pageToken=%C0%80", "%ff=1", "filter=user_id%3D%22%ED%A0%80%22"] {
            let answer = target.server.get(&format!("{path}?{query}"));
            assert_eq!(answer.invalid(), "The query string is not valid UTF-8.");
        }
    }
    let created =
        target.server.post(&format!("{}?sessionId=%ff", target.sessions()), &json!({"userId": "u"}));
    assert_eq!(created.invalid(), "The query string is not valid UTF-8.");
    // A path that is no text is no path.
    target.server.get(&format!("{}/%ff", target.sessions())).error(404);
    target.assert_unharmed();
}

#[test]
fn keys_that_come_twice() {
    let target = Target::new();
    for (body, part) in [
        (r#"{"userId":"u","userId":"v"}"#, "The field \"userId\" at 'session' is given more than once."),
        (r#"{"userId":"u","user_id":"v"}"#, "The field \"userId\" at 'session' is given more than once."),
        (r#"{"userId":"u","labels":{"a":"b","a":"c"}}"#, "The key \"a\" is given more than once"),
        (r#"{"userId":"u","sessionState":{"a":1,"a":1}}"#, "The key \"a\" is given more than once"),
        (
            r#"{"userId":"u","sessionState":{"x":[{"a":1,"\u0061":2}]}}"#,
            "The key \"a\" is given more than once",
        ),
    ] {
        let answer = target.server.client().send_bytes("POST", &target.sessions(), Some(body.as_bytes()));
        let message = answer.invalid();
        assert!(
            message.starts_with("Invalid JSON payload received. ") && message.contains(part),
            "{message}"
        );
    }
    for body in [
        r#"{"author":"a","author":"b"}"#,
        r#"{"actions":{"stateDelta":{"k":1},"state_delta":{"k":2}}}"#,
        r#"{"actions":{"stateDelta":{"k":1,"k":2}}}"#,
        r#"{"rawEvent":{"x":{"k":1,"k":2}}}"#,
    ] {
        let answer = target.server.client().send_bytes("POST", &target.append_path(), Some(body.as_bytes()));
        assert!(answer.invalid().contains("is given more than once"), "{body}");
    }
    target.assert_unharmed();
}

#[test]
fn strange_keys_are_keys_like_any_other() {
    let target = Target::new();
    let state = json!({
        "": 1, "__proto__": {"polluted": true}, "constructor": 2, "toString": 3, " ": 4, "a.b": 5, "a/b": 6, "é": 7,
        "a\0b": "c\0d", "app:": 8, "user:": 9, "user:app:x": 10, "$where": 11, "😀": 12,
    });
    let name = target.server.session_in(&target.engine, &json!({"userId": "v", "sessionState": state}));
    let mut expected = state.clone();
    expected["app:k"] = json!(2);
    assert_eq!(target.server.read(&name)["sessionState"], expected);
    target.server.append(
        &name,
        "2026-01-01T00:00:00Z",
        &json!({"__proto__": null, "": {"": ""}, "temp:": 1}),
    );
    expected["__proto__"] = Value::Null;
    expected[""] = json!({"": ""});
    assert_eq!(target.server.read(&name)["sessionState"], expected);
    let events = target.server.get(&format!("/v1beta1/{name}/events")).ok();
    let delta = &events["sessionEvents"][0]["actions"]["stateDelta"];
    assert_eq!(delta, &json!({"__proto__": null, "": {"": ""}, "temp:": 1}));
}
