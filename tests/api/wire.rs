//! The protocol around the resources: standard parameters, versions, paths, connections.

use serde_json::{Value, json};

use crate::client::request;
use crate::server::{LOCATION, Server, event};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn standard_parameters_are_taken_everywhere() {
    let server = Server::start();
    let engine = server.engine();
    let session = || server.session_in(&engine, &json!({"userId": "u"}));
    let (read, written) = (session(), session());
    let plain = server.read(&read);
    let queries = [
        "alt=json",
        "$alt=json",
        "$alt=json;enum-encoding=int",
        "%24alt=json%3Benum-encoding%3Dint",
        "prettyPrint=true",
        "prettyPrint=false",
        "key=AIzaSecret",
        "access_token=ya29.x",
        "oauth_token=x",
        "$.xgafv=2",
        "callback=f",
        "quotaUser=me",
        "uploadType=media",
        "upload_protocol=raw",
        "key=a&alt=json&$.xgafv=1&&prettyPrint=false",
    ];
    for query in queries {
        assert_eq!(server.get(&format!("/v1beta1/{read}?{query}")).ok(), plain, "{query}");
        let append = format!("/v1beta1/{written}:appendEvent?{query}");
        assert_eq!(server.post(&append, &event("2026-01-01T00:00:00Z", &json!({}))).ok(), json!({}));
    }
    let events = server.get(&format!("/v1beta1/{written}/events")).ok();
    assert_eq!(events["sessionEvents"].as_array().unwrap().len(), queries.len());
}

#[test]
fn parameters_that_are_not_understood_are_refused() {
    let server = Server::start();
    let session = server.session();
    let path = format!("/v1beta1/{session}");
    for name in ["foo", "Fields", "filter", "session.user_id", "name.x"] {
        assert_eq!(
            server.get(&format!("{path}?{name}=x")).invalid(),
            format!(
                "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' \
                 could not be found in request message."
            )
        );
    }
    // What the body is cannot come by the query too.
    let message =
        server.patch(&format!("{path}?session.displayName=x"), &json!({"displayName": "y"})).invalid();
    assert!(
        message.contains("Unknown name \"session.displayName\": Cannot bind query parameter."),
        "{message}"
    );
    for (query, part) in [
        ("alt=media", "Field: alt; Message: Only \"json\" is supported"),
        ("alt=proto", "Field: alt; Message: Only \"json\" is supported"),
        ("$alt=json;case=snake", "Field: alt; Message: Only the option"),
        ("prettyPrint=perhaps", "Field: prettyPrint; Message: The value must be"),
        ("fields=a(b", "Field: fields; Message: Invalid field selection"),
        ("fields=", "Field: fields; Message: Invalid field selection"),
    ] {
        let message = server.get(&format!("{path}?{query}")).invalid();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn answers_are_cut_to_the_fields_and_indented_on_request() {
    let server = Server::start();
    let engine = server.engine();
    let session =
        server.session_in(&engine, &json!({"userId": "u", "sessionState": {"a": {"b": 1, "c": 2}}}));
    let get = |query: &str| server.get(&format!("/v1beta1/{session}?{query}"));
    assert_eq!(get("fields=name,user_id").ok(), json!({"name": session, "userId": "u"}));
    assert_eq!(get("fields=sessionState/a/b").ok(), json!({"sessionState": {"a": {"b": 1}}}));
    assert_eq!(
        get("fields=sessionState(a(c)),userId").ok(),
        json!({"sessionState": {"a": {"c": 2}}, "userId": "u"})
    );
    assert_eq!(get("fields=nothing").ok(), json!({}));
    assert_eq!(get("fields=*").ok(), server.read(&session));
    let listed = server.get(&format!("/v1beta1/{engine}/sessions?fields=sessions/userId,nextPageToken"));
    assert_eq!(listed.ok(), json!({"sessions": [{"userId": "u"}]}));
    let pretty = get("prettyPrint=true&fields=userId").body;
    assert_eq!(String::from_utf8(pretty).unwrap(), "{\n  \"userId\": \"u\"\n}");
    let plain = get("prettyPrint=false&fields=userId").body;
    assert_eq!(String::from_utf8(plain).unwrap(), r#"{"userId":"u"}"#);
    // A refusal is answered in whole.
    assert!(server.get(&format!("/v1beta1/{session}x?fields=name")).error(404)["message"].is_string());
}

#[test]
fn enums_come_by_name_or_number_and_go_as_asked() {
    let server = Server::start();
    let session = server.session();
    for (language, outcome) in [(json!("PYTHON"), json!("OUTCOME_FAILED")), (json!(1), json!(2))] {
        let mut sent = event("2026-01-01T00:00:00Z", &json!({}));
        sent["content"]["parts"] = json!([
            {"executableCode": {"language": language, "code": "1/0"}},
            {"codeExecutionResult": {"outcome": outcome, "output": "no"}},
        ]);
        server.post(&format!("/v1beta1/{session}:appendEvent"), &sent).ok();
    }
    let enums = |query: &str| -> Vec<Value> {
        let events = server.get(&format!("/v1beta1/{session}/events?{query}")).ok();
        let of_event = |event: &Value| {
            let parts = &event["content"]["parts"];
            json!([parts[0]["executableCode"]["language"], parts[1]["codeExecutionResult"]["outcome"]])
        };
        events["sessionEvents"].as_array().unwrap().iter().map(of_event).collect()
    };
    let (names, numbers) = (json!(["PYTHON", "OUTCOME_FAILED"]), json!([1, 2]));
    for query in ["", "alt=json", "$alt=json;enum-encoding=name"] {
        assert_eq!(enums(query), [names.clone(), names.clone()], "{query}");
    }
    for query in
        ["$alt=json;enum-encoding=int", "%24alt=json%3Benum-encoding%3Dint", "alt=json;enum-encoding=int"]
    {
        assert_eq!(enums(query), [numbers.clone(), numbers.clone()], "{query}");
    }
}

#[test]
fn bytes_come_in_either_alphabet_and_go_in_the_standard_one() {
    let server = Server::start();
    let session = server.session();
    for bytes in ["+/8=", "+/8", "-_8=", "-_8"] {
        let mut sent = event("2026-01-01T00:00:00Z", &json!({}));
        sent["content"]["parts"] =
            json!([{"inline_data": {"mime_type": "x/y", "data": bytes}, "thought_signature": bytes}]);
        server.post(&format!("/v1beta1/{session}:appendEvent"), &sent).ok();
    }
    let events = server.get(&format!("/v1beta1/{session}/events")).ok();
    let expected = json!([{"inlineData": {"mimeType": "x/y", "data": "+/8="}, "thoughtSignature": "+/8="}]);
    for event in events["sessionEvents"].as_array().unwrap() {
        assert_eq!(event["content"]["parts"], expected);
    }
}

#[test]
fn parameters_come_in_camel_and_in_snake_case() {
    let server = Server::start();
    let engine = server.engine();
    let sessions = format!("/v1beta1/{engine}/sessions");
    for (query, id) in
        [("sessionId=camel", "camel"), ("session_id=snake", "snake"), ("sessionId=last", "last")]
    {
        let made = server.post(&format!("{sessions}?{query}"), &json!({"userId": "u"})).ok();
        assert_eq!(made["response"]["name"], format!("{engine}/sessions/{id}"));
    }
    let ids = |query: &str| -> (Vec<String>, String) {
        let page = server.get(&format!("{sessions}?{query}")).ok();
        let id = |session: &Value| session["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let ids = page["sessions"].as_array().unwrap().iter().map(id).collect();
        (ids, page["nextPageToken"].as_str().unwrap_or_default().to_owned())
    };
    for (size, order, token) in
        [("pageSize", "orderBy", "pageToken"), ("page_size", "order_by", "page_token")]
    {
        let (first, next) = ids(&format!("{size}=2&{order}=create_time"));
        assert_eq!(first, ["camel", "snake"]);
        assert_eq!(ids(&format!("{size}=2&{order}=create_time&{token}={next}")).0, ["last"]);
    }
    for (mask, name) in [("updateMask=displayName", "a"), ("update_mask=display_name", "b")] {
        let path = format!("{sessions}/camel?{mask}");
        let updated = server.patch(&path, &json!({"displayName": name, "labels": {"not": "named"}})).ok();
        assert_eq!((&updated["displayName"], updated.get("labels")), (&json!(name), None));
    }
    // A plus is a space, as forms write it.
    assert_eq!(ids("filter=user_id=u+AND+display_name=%22b%22").0, ["camel"]);
}

/// Every type URL in an answer, wherever it stands.
fn types(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("@type").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(types)).collect()
        }
        Value::Array(items) => items.iter().flat_map(types).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn types_are_of_the_version_that_is_called() {
    let server = Server::start();
    for version in ["v1", "v1beta1"] {
        let call = |method: &str, path: &str, body: Option<Value>| {
            server.client().send(method, &format!("/{version}/{path}"), body.as_ref()).ok()
        };
        let package = format!("type.googleapis.com/google.cloud.aiplatform.{version}.");
        let assert_types = |answer: &Value, expected: &[&str]| {
            let mut found: Vec<_> = types(answer)
                .into_iter()
                .map(|url| url.strip_prefix(&package).or(url.strip_prefix("type.googleapis.com/")).unwrap())
                .collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{version}");
        };
        let named = |operation: &Value| operation["response"]["name"].as_str().unwrap().to_owned();

        let created =
            call("POST", &format!("{LOCATION}/reasoningEngines"), Some(json!({"displayName": "e"})));
        assert_types(&created, &["CreateReasoningEngineOperationMetadata", "ReasoningEngine"]);
        let engine = named(&created);
        let updated = call("PATCH", &engine, Some(json!({"displayName": "f"})));
        assert_types(&updated, &["ReasoningEngine", "UpdateReasoningEngineOperationMetadata"]);
        let created = call("POST", &format!("{engine}/sessions"), Some(json!({"userId": "u"})));
        assert_types(&created, &["CreateSessionOperationMetadata", "Session"]);
        let session = named(&created);
        let operation = created["name"].as_str().unwrap();
        for (method, path) in [("GET", operation.to_owned()), ("POST", format!("{operation}:wait"))] {
            assert_types(&call(method, &path, None), &["CreateSessionOperationMetadata", "Session"]);
        }
        let listed = call("GET", &format!("{session}/operations"), None);
        assert_types(&listed, &["CreateSessionOperationMetadata", "Session"]);
        assert_types(&call("GET", &session, None), &[]);
        let deleted = call("DELETE", &session, None);
        assert_types(&deleted, &["DeleteOperationMetadata", "google.protobuf.Empty"]);
        let deleted = call("DELETE", &format!("{engine}?force=true"), None);
        assert_eq!(types(&deleted)[0], format!("{package}DeleteOperationMetadata"));
    }
}

#[test]
fn operations_are_polled_under_ui_at_every_parent() {
    let server = Server::start();
    for version in ["v1", "v1beta1"] {
        let call = |method: &str, path: &str, body: Option<Value>| {
            server.client().send(method, path, body.as_ref()).ok()
        };
        let of_engine = call(
            "POST",
            &format!("/{version}/{LOCATION}/reasoningEngines"),
            Some(json!({"displayName": "e"})),
        );
        let engine = of_engine["response"]["name"].as_str().unwrap();
        let create = || call("POST", &format!("/{version}/{engine}/sessions"), Some(json!({"userId": "u"})));
        let (of_session, doomed) = (create(), create());
        let session = of_session["response"]["name"].as_str().unwrap();
        let doomed = doomed["response"]["name"].as_str().unwrap();
        let of_location = call("DELETE", &format!("/{version}/{doomed}"), None);
        for (parent, operation) in [(engine, &of_engine), (session, &of_session), (LOCATION, &of_location)] {
            let name = operation["name"].as_str().unwrap();
            assert!(name.starts_with(&format!("{parent}/operations/")), "{name}");
            // No version is in the path: the answer is of the one that started the operation.
            assert_eq!(&call("GET", &format!("/ui/{name}"), None), operation);
            assert_eq!(&call("POST", &format!("/ui/{name}:wait"), None), operation);
            assert_eq!(call("POST", &format!("/ui/{name}:cancel"), None), json!({}));
            let listed = call("GET", &format!("/ui/{parent}/operations"), None);
            assert!(listed["operations"].as_array().unwrap().contains(operation), "{listed}");
            assert_eq!(call("DELETE", &format!("/ui/{name}"), None), json!({}));
            server.get(&format!("/{version}/{name}")).error(404);
        }
    }
}

#[test]
fn everything_has_a_path_without_a_project() {
    let server = Server::start();
    let call = |method: &str, path: &str, body: Option<Value>| {
        server.client().send(method, &format!("/v1beta1/{path}"), body.as_ref()).ok()
    };
    let made = call("POST", "reasoningEngines", Some(json!({"displayName": "e"})));
    let engine = made["response"]["name"].as_str().unwrap().to_owned();
    let parent = "projects/local/locations/us-central1/";
    let short = engine.strip_prefix(parent).unwrap();
    assert_eq!(call("GET", short, None)["name"], engine);
    assert_eq!(call("GET", "reasoningEngines", None)["reasoningEngines"][0]["name"], engine);
    call("PATCH", &format!("{short}?updateMask=displayName"), Some(json!({"displayName": "f"})));
    let made = call("POST", &format!("{short}/sessions?sessionId=mine"), Some(json!({"userId": "u"})));
    let session = format!("{short}/sessions/mine");
    assert_eq!(made["response"]["name"], format!("{parent}{session}"));
    let operation = made["name"].as_str().unwrap().strip_prefix(parent).unwrap();
    assert_eq!(call("GET", operation, None), made);
    assert_eq!(call("POST", &format!("{operation}:wait"), None), made);
    assert_eq!(call("GET", &format!("{session}/operations"), None)["operations"], json!([made]));
    assert_eq!(call("GET", &format!("{short}/operations"), None)["operations"].as_array().unwrap().len(), 2);
    let sent = event("2026-01-01T00:00:00Z", &json!({"k": 1}));
    call("POST", &format!("{session}:appendEvent"), Some(sent));
    let events = call("GET", &format!("{session}/events"), None);
    let name = events["sessionEvents"][0]["name"].as_str().unwrap();
    assert!(name.starts_with(&format!("{parent}{session}/events/")), "{name}");
    let updated = call("PATCH", &session, Some(json!({"displayName": "d"})));
    assert_eq!((&updated["displayName"], &updated["sessionState"]), (&json!("d"), &json!({"k": 1})));
    assert_eq!(call("GET", &session, None), updated);
    assert_eq!(call("GET", &format!("{short}/sessions"), None)["sessions"], json!([updated]));
    assert_eq!(call("DELETE", &session, None)["done"], true);
    assert_eq!(call("DELETE", short, None)["done"], true);
}

#[test]
fn other_methods_are_refused_and_harm_nothing() {
    let server = Server::start();
    let session = server.session();
    let path = format!("/v1beta1/{session}");
    let before = server.read(&session);
    let mut connection = server.client().open();
    for (method, path, code) in
        [("OPTIONS", path.as_str(), 405), ("TRACE", &path, 405), ("OPTIONS", "/nothing", 404)]
    {
        connection.write(&request(method, path, &[], None));
        let answer = connection.read();
        assert!(answer.error(code)["message"].is_string());
        assert_eq!(answer.header("allow"), (code == 405).then_some("GET, PATCH, DELETE"), "{method}");
        // No page of another site is let in.
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    // An answer to HEAD has no body, so each is read by a connection of its own.
    for (path, code) in [(path.as_str(), 405), ("/nothing", 404), ("/v1beta1/reasoningEngines", 405)] {
        let answer = server.client().send("HEAD", path, None);
        assert_eq!((answer.status, answer.body.len()), (code, 0));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
    }
    assert_eq!(server.read(&session), before);
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::start();
    let session = server.session();
    let mut connection = server.client().open();
    for n in 0..100 {
        let second = format!("2026-01-01T00:{:02}:{:02}Z", n / 60, n % 60);
        let sent = event(&second, &json!({"n": n})).to_string();
        let path = format!("/v1beta1/{session}:appendEvent");
        connection.write(&request("POST", &path, &[JSON], Some(sent.as_bytes())));
        assert_eq!(connection.read().ok(), json!({}));
        // A refusal does not end the connection.
        connection.write(&request("POST", &path, &[JSON], Some(b"{")));
        connection.read().invalid();
        connection.write(&request("GET", &format!("/v1beta1/{session}?fields=sessionState"), &[], None));
        assert_eq!(connection.read().ok(), json!({"sessionState": {"n": n}}));
    }
}

#[test]
fn requests_that_do_not_wait_are_answered_in_their_order() {
    let server = Server::start();
    let session = server.session();
    let append = format!("/v1beta1/{session}:appendEvent");
    let read = format!("/v1beta1/{session}?fields=sessionState");
    let mut all = Vec::new();
    for n in 0..50 {
        let sent = event("2026-01-01T00:00:00Z", &json!({"n": n})).to_string();
        let id = format!("append-{n}");
        all.extend(request("POST", &append, &[JSON, ("X-Request-Id", &id)], Some(sent.as_bytes())));
        all.extend(request("GET", &read, &[("X-Request-Id", &format!("read-{n}"))], None));
    }
    let mut connection = server.client().open();
    connection.write(&all);
    for n in 0..50 {
        let appended = connection.read();
        assert_eq!(appended.ok(), json!({}));
        assert_eq!(appended.header("x-request-id"), Some(format!("append-{n}").as_str()));
        let found = connection.read();
        assert_eq!(found.ok(), json!({"sessionState": {"n": n}}));
        assert_eq!(found.header("x-request-id"), Some(format!("read-{n}").as_str()));
    }
}

#[test]
fn a_body_is_asked_for_when_the_client_waits_to_be() {
    let server = Server::start_with(&["--max-body-bytes", "2000"]);
    let session = server.session();
    let sent = event("2026-01-01T00:00:00Z", &json!({"k": 1})).to_string();
    let head = |length: usize| {
        let expect = [JSON, ("Expect", "100-continue"), ("Content-Length", &length.to_string())];
        request("POST", &format!("/v1beta1/{session}:appendEvent"), &expect, None)
    };
    let mut connection = server.client().open();
    connection.write(&head(sent.len()));
    assert_eq!(connection.read().status, 100);
    connection.write(sent.as_bytes());
    assert_eq!(connection.read().ok(), json!({}));
    // What is refused anyway is not asked for.
    connection.write(&head(2001));
    connection.read().error(413);
    assert_eq!(server.read(&session)["sessionState"], json!({"k": 1}));
}

#[test]
fn a_request_keeps_its_id_or_is_given_one() {
    let server = Server::start();
    let id = |headers: &[(&str, &str)], path: &str| {
        let answer = server.client().send_with("GET", path, headers, None);
        answer.header("x-request-id").unwrap().to_owned()
    };
    for path in ["/healthz", "/nothing", "/v1beta1/reasoningEngines"] {
        assert_eq!(id(&[("X-Request-Id", "mine-1.a:b")], path), "mine-1.a:b");
        assert_eq!(id(&[("x-request-id", &"i".repeat(64))], path), "i".repeat(64));
        let (long, first, second) =
            (id(&[("X-Request-Id", &"i".repeat(65))], path), id(&[], path), id(&[], path));
        assert!(!long.is_empty() && long.len() <= 64);
        assert!(!first.is_empty() && first != second && first != long);
    }
}

#[test]
fn an_answer_does_not_wait_for_the_next_request() {
    let server = Server::start();
    let read = request("GET", "/healthz", &[], None);
    let mut connection = server.client().open();
    // The second request is under way, and its end does not come before the first is answered.
    let (begun, rest) = read.split_at(10);
    connection.write(&[&read, begun].concat());
    connection.read().ok();
    connection.write(rest);
    connection.read().ok();
}

#[test]
fn what_is_no_http_is_answered() {
    let server = Server::start();
    let long = format!("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(70_000));
    let lengths = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef";
    for (bytes, status) in [("no http at all\r\n\r\n", 400), (lengths, 400), (&long, 414)] {
        assert_eq!(server.client().send_raw(bytes.as_bytes()).status, status);
    }
}

#[test]
fn an_empty_body_of_unknown_length_is_no_body() {
    let server = Server::start();
    let session = server.session();
    let chunked = format!(
        "DELETE /v1beta1/{session} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
    );
    assert_eq!(server.client().send_raw(chunked.as_bytes()).ok()["done"], true);
}
