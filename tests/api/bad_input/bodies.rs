//! Bodies that are too large or of another type.

use serde_json::json;

use super::Target;
use crate::client::Answer;
use crate::server::event;

fn assert_too_large(answer: &Answer, limit: usize) {
    let error = answer.error(413);
    assert_eq!(error["message"], format!("Request payload size exceeds the limit: {limit} bytes."));
}

#[test]
fn bodies_over_the_limit() {
    let target = Target::with(&["--max-body-bytes", "2000"]);
    let client = target.server.client();
    let headers = "Host: test\r\nConnection: close\r\nContent-Type: application/json\r\n";
    // The length alone is refused: nothing of the body is ever sent.
    for length in ["2001", "99999999", "9223372036854775807"] {
        let head =
            format!("POST {} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n", target.append_path());
        assert_too_large(&client.send_raw(head.as_bytes()), 2000);
    }
    // A body of unknown length is cut off where it passes the limit; its end never comes.
    let chunk = [&b"400\r\n"[..], &[b' '; 0x400], b"\r\n"].concat();
    let head =
        format!("POST {} HTTP/1.1\r\n{headers}Transfer-Encoding: chunked\r\n\r\n", target.append_path());
    assert_too_large(&client.send_raw(&[head.as_bytes(), &chunk, &chunk].concat()), 2000);
    for path in [target.sessions(), target.append_path()] {
        assert_too_large(&client.send_bytes("POST", &path, Some(&[b' '; 2001])), 2000);
    }
    target.assert_unharmed();
    // At the limit, a body counts.
    let mut body = event("2026-01-01T00:00:10Z", &json!({})).to_string().into_bytes();
    body.resize(2000, b' ');
    client.send_bytes("POST", &target.append_path(), Some(&body)).ok();
}

#[test]
fn the_limit_is_ten_mebibytes_where_nothing_is_said() {
    let target = Target::new();
    let limit = 10 << 20;
    let head = format!("POST {} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n", target.append_path());
    let head = format!("{head}Content-Length: {}\r\n\r\n", limit + 1);
    assert_too_large(&target.server.client().send_raw(head.as_bytes()), limit);
    // A body that fits can hold an event that does not: more than 4 MiB are not stored.
    let message = target.append(&json!({"rawEvent": {"x": "y".repeat(5 << 20)}}));
    assert!(message.contains("1.Field: event; Message: The event takes"), "{message}");
    assert!(message.contains("at most 4194304 bytes are allowed."), "{message}");
    target.assert_unharmed();
}

#[test]
fn bodies_of_other_types() {
    let target = Target::new();
    let body = event("2026-01-01T00:00:10Z", &json!({})).to_string();
    let send = |headers: &[(&str, &str)]| {
        target.server.client().send_with("POST", &target.append_path(), headers, Some(body.as_bytes()))
    };
    for content_type in [
        "text/plain",
        "text/plain; charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/octet-stream",
        "application/x-protobuf",
        "*/*",
    ] {
        assert_eq!(
            send(&[("Content-Type", content_type)]).invalid(),
            "The request body must be JSON, sent with \"Content-Type: application/json\"."
        );
    }
    for encoding in ["gzip", "br", "gzip, identity"] {
        assert_eq!(
            send(&[("Content-Type", "application/json"), ("Content-Encoding", encoding)]).invalid(),
            "Compressed request bodies are not supported."
        );
    }
    target.assert_unharmed();
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        send(&[("Content-Type", content_type), ("Content-Encoding", "identity")]).ok();
    }
}
