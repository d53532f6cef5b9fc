//! What no list can be asked for: filters, orders, page sizes, page tokens.

use serde_json::json;

use super::{Target, encode, found};
use crate::server::LOCATION;

#[test]
fn filters_and_orders_say_at_which_character() {
    let target = Target::new();
    let events = format!("/v1beta1/{}/events", target.session);
    let engines = format!("/v1beta1/{LOCATION}/reasoningEngines");
    let operations = format!("/v1beta1/{LOCATION}/operations");
    let (nested, long) = ("(".repeat(5_000), "a".repeat(17_000));
    for (path, filter, expected) in [
        (&target.sessions(), "user_id=", "A value is missing behind \"=\" at character 9."),
        (&target.sessions(), "user_id=\"alice", "The string \"alice is not closed at character 9."),
        (
            &target.sessions(),
            "user_id=a AND foo=1",
            "Unknown field \"foo\" (there are display_name, user_id, labels, create_time, update_time, expire_time) \
             at character 15.",
        ),
        (
            &target.sessions(),
            "alice",
            "\"alice\" stands alone; name a field, as in display_name = \"...\", at character 1.",
        ),
        (
            &target.sessions(),
            "(user_id=a",
            "There is no closing parenthesis for the opening one at character 1.",
        ),
        (
            &target.sessions(),
            "user_id=a)",
            "There is no opening parenthesis for the closing one at character 10.",
        ),
        (&target.sessions(), "user_id=a AND", "A field name is missing at character 14."),
        (&target.sessions(), "has(user_id)", "Functions are not supported at character 1."),
        (&target.sessions(), "labels=x", "\"=\" cannot be used with the field labels at character 7."),
        (&target.sessions(), "user_id.x=1", "The field user_id has no members at character 9."),
        (
            &target.sessions(),
            "create_time>yesterday",
            "\"yesterday\" is not a time as in \"2026-01-31T12:00:00Z\" at character 13.",
        ),
        (&target.sessions(), &nested, "The filter nests deeper than 32 levels at character 34."),
        (&target.sessions(), &long, "The text is longer than 16384 bytes at character 16385."),
        (
            &events,
            "timestamp>=\"2026-01-01T00:00:00\"",
            "\"2026-01-01T00:00:00\" is not a time as in \"2026-01-31T12:00:00Z\" at character 12.",
        ),
        (
            &events,
            "user_id=u",
            "Unknown field \"user_id\" (there are timestamp, author, invocation_id) at character 1.",
        ),
        (&operations, "done=perhaps", "\"perhaps\" is not true or false at character 6."),
        (
            &engines,
            "é=1",
            "Unknown field \"é\" (there are display_name, description, labels, create_time, update_time) at \
             character 1.",
        ),
    ] {
        let answer = target.server.get(&format!("{path}?filter={}", encode(filter)));
        assert_eq!(answer.invalid(), found("filter", expected), "{filter:.60}");
    }
    for (path, order, expected) in [
        (
            &target.sessions(),
            "foo",
            "Unknown field \"foo\" (there are create_time, update_time) at character 1.",
        ),
        (&target.sessions(), "create_time,,update_time", "A field name is missing at character 13."),
        (
            &target.sessions(),
            "create_time, update_time up",
            "\"update_time\" can only be followed by \"asc\" or \"desc\", not by \"up\", at character 14.",
        ),
        (&target.sessions(), "update_time,update_time", "The field update_time comes twice at character 13."),
        (&events, "author", "Unknown field \"author\" (there are timestamp) at character 1."),
    ] {
        let answer = target.server.get(&format!("{path}?orderBy={}", encode(order)));
        assert_eq!(answer.invalid(), found("order_by", expected), "{order}");
    }
    target.assert_unharmed();
}

#[test]
fn page_sizes() {
    let target = Target::new();
    let events = format!("/v1beta1/{}/events", target.session);
    for path in [
        &target.sessions(),
        &events,
        &format!("/v1beta1/{LOCATION}/reasoningEngines"),
        &format!("/v1beta1/{LOCATION}/operations"),
    ] {
        for size in ["-1", "-2147483648"] {
            let expected = "Page size should be non-negative and the maximum size is 100.";
            let answer = target.server.get(&format!("{path}?pageSize={size}"));
            assert_eq!(answer.invalid(), found("page_size", expected));
        }
        for size in ["x", "1.5", "2147483648", "0x10", "true", "", "99999999999999999999999"] {
            let answer = target.server.get(&format!("{path}?pageSize={size}"));
            assert_eq!(answer.invalid(), format!("Invalid value at 'page_size' (TYPE_INT32), \"{size}\""));
        }
    }
    target.assert_unharmed();
}

#[test]
fn page_tokens_that_are_damaged_or_of_another_list() {
    let target = Target::new();
    let server = &target.server;
    let events = format!("/v1beta1/{}/events", target.session);
    let other_engine = server.engine();
    let other_session = server.session_in(&other_engine, &json!({"userId": "u"}));
    server.session_in(&other_engine, &json!({"userId": "u"}));
    let sessions = format!("/v1beta1/{other_engine}/sessions");
    let token = |path: &str| -> String {
        server.get(&format!("{path}pageSize=1")).ok()["nextPageToken"].as_str().unwrap().to_owned()
    };
    let of_events = token(&format!("{events}?"));
    let of_sessions = token(&format!("{sessions}?"));
    let of_author = token(&format!("{events}?filter=author=user&"));
    let other =
        found("page_token", "The page token belongs to a request with another parent, filter or order.");
    for path in [
        format!("/v1beta1/{other_session}/events?pageToken={of_events}"),
        format!("{events}?filter=author=user&pageToken={of_events}"),
        format!("{events}?orderBy=timestamp%20desc&pageToken={of_events}"),
        format!("{events}?pageToken={of_author}"),
        format!("{events}?filter=author=agent&pageToken={of_author}"),
        format!("{events}?pageToken={of_sessions}"),
        format!("{sessions}?pageToken={of_events}"),
        format!("{sessions}?orderBy=create_time&pageToken={of_sessions}"),
        format!("{}?pageToken={of_sessions}", target.sessions()),
        format!("/v1beta1/{LOCATION}/reasoningEngines?pageToken={of_sessions}"),
        format!("/v1beta1/{LOCATION}/operations?pageToken={of_sessions}"),
    ] {
        assert_eq!(server.get(&path).invalid(), other, "{path}");
    }
    let malformed = found("page_token", "The page token is malformed.");
    for (list, token) in [(&events, &of_events), (&sessions, &of_sessions)] {
        for position in 0..token.len() {
            let mut flipped = token.clone().into_bytes();
            flipped[position] = if flipped[position] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(flipped).unwrap();
            assert_eq!(server.get(&format!("{list}?pageToken={flipped}")).invalid(), malformed, "{flipped}");
            let cut = &token[..position];
            if !cut.is_empty() {
                assert_eq!(server.get(&format!("{list}?pageToken={cut}")).invalid(), malformed, "{cut}");
            }
        }
        for text in
            ["abc", "%00", "%20", "AAAAAAAAAAAAAAAAAAAAAAAA", &"A".repeat(10_000), &format!("{token}A")]
        {
            assert_eq!(server.get(&format!("{list}?pageToken={text}")).invalid(), malformed, "{text:.60}");
        }
        // The token itself has come through all of this.
        server.get(&format!("{list}?pageToken={token}")).ok();
    }
    target.assert_unharmed();
}
