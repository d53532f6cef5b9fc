//! gRPC where it differs from REST: statuses, limits, deadlines, versions, health.

use std::time::{Duration, Instant};

use colloquy_contract::{DESCRIPTOR_SET, HTTP_RULES, longrunning, rpc, v1beta1 as wire};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use rustix::process::Signal;
use serde_json::json;

use crate::grpc_client::{GrpcClient, Reply};
use crate::server::{LOCATION, Server, event};

const OK: i32 = 0;
const INVALID_ARGUMENT: i32 = 3;
const DEADLINE_EXCEEDED: i32 = 4;
const NOT_FOUND: i32 = 5;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;

const SESSIONS: &str = "/google.cloud.aiplatform.v1beta1.SessionService";
const OPERATIONS: &str = "/google.longrunning.Operations";

fn start() -> (Server, GrpcClient) {
    let server = Server::start();
    let client = GrpcClient::new(server.address());
    (server, client)
}

fn decode<M: Message + Default>(reply: &Reply) -> M {
    assert_eq!((reply.code, reply.error.as_str()), (OK, ""));
    M::decode(reply.message.as_slice()).unwrap()
}

fn create_session(grpc: &mut GrpcClient, version: &str, engine: &str) -> longrunning::Operation {
    let session = wire::Session { user_id: "u".into(), ..Default::default() };
    let request = wire::CreateSessionRequest {
        parent: engine.into(),
        session: Some(session),
        session_id: String::new(),
    };
    let path = format!("/google.cloud.aiplatform.{version}.SessionService/CreateSession");
    decode(&grpc.call(&path, &request.encode_to_vec()))
}

/// The type URLs of what an operation holds: metadata, response.
fn type_urls(operation: &longrunning::Operation) -> (String, String) {
    let Some(longrunning::operation::Result::Response(response)) = &operation.result else {
        panic!("no response: {operation:?}");
    };
    (operation.metadata.as_ref().unwrap().type_url.clone(), response.type_url.clone())
}

fn append(name: &str, event: &[u8]) -> Vec<u8> {
    wire::AppendEventRequest { name: name.into(), event: Some(event.to_vec().into()) }.encode_to_vec()
}

/// The wire bytes of an event that is complete, with more bytes behind it.
fn event_with(more: &[u8]) -> Vec<u8> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let of = pool.get_message_by_name("google.cloud.aiplatform.v1beta1.SessionEvent").unwrap();
    let json = event("2026-01-01T00:00:00Z", &json!({"k": 1}));
    [DynamicMessage::deserialize(of, json).unwrap().encode_to_vec(), more.to_vec()].concat()
}

#[test]
fn every_rpc_of_the_contract_is_answered_in_both_protocols() {
    let (_server, mut grpc) = start();
    let mut answered = 0;
    let mut paths: Vec<_> = HTTP_RULES.iter().map(|rule| rule.rpc.rsplit_once('.').unwrap()).collect();
    paths.dedup();
    for (service, method) in paths {
        let reply = grpc.call(&format!("/{service}/{method}"), b"");
        // An empty request names nothing, so that nothing is found, or nothing valid.
        let created_or_listed = reply.code == OK && reply.error.is_empty();
        assert!(
            created_or_listed || [INVALID_ARGUMENT, NOT_FOUND].contains(&reply.code),
            "{service}.{method}: {reply:?}"
        );
        answered += 1;
    }
    assert!(answered >= 29, "{answered}");
}

#[test]
fn what_is_not_served_is_unimplemented() {
    let (_server, mut grpc) = start();
    for path in [
        "/google.cloud.aiplatform.v1beta1.SessionService/CompactSession",
        "/google.cloud.aiplatform.v1beta1.NoService/GetSession",
        "/google.cloud.aiplatform.v1beta1.SessionService",
        "/",
    ] {
        assert_eq!(grpc.call(path, b"").code, UNIMPLEMENTED, "{path}");
    }
}

#[test]
fn types_are_of_the_version_that_was_called_also_when_polled() {
    let (server, mut grpc) = start();
    let engine = server.engine();
    for version in ["v1", "v1beta1"] {
        let expected = (
            format!("type.googleapis.com/google.cloud.aiplatform.{version}.CreateSessionOperationMetadata"),
            format!("type.googleapis.com/google.cloud.aiplatform.{version}.Session"),
        );
        let created = create_session(&mut grpc, version, &engine);
        assert_eq!(type_urls(&created), expected);
        let name = created.name.clone();
        // Neither gRPC nor the paths under /ui say a version: that of the start is meant.
        let get = longrunning::GetOperationRequest { name: name.clone() }.encode_to_vec();
        let polled: longrunning::Operation = decode(&grpc.call(&format!("{OPERATIONS}/GetOperation"), &get));
        assert_eq!(polled, created);
        let wait = longrunning::WaitOperationRequest { name: name.clone(), timeout: None }.encode_to_vec();
        let waited: longrunning::Operation =
            decode(&grpc.call(&format!("{OPERATIONS}/WaitOperation"), &wait));
        assert_eq!(type_urls(&waited), expected);
        let parent = name.rsplit_once("/operations/").unwrap().0.to_owned();
        let list = longrunning::ListOperationsRequest { name: parent, ..Default::default() }.encode_to_vec();
        let listed: longrunning::ListOperationsResponse =
            decode(&grpc.call(&format!("{OPERATIONS}/ListOperations"), &list));
        assert_eq!(type_urls(&listed.operations[0]), expected);
        assert_eq!(server.get(&format!("/ui/{name}")).ok()["response"]["@type"], expected.1);
        // A path that says a version means it.
        for asked in ["v1", "v1beta1"] {
            let operation = server.get(&format!("/{asked}/{name}")).ok();
            let type_url = format!("type.googleapis.com/google.cloud.aiplatform.{asked}.Session");
            assert_eq!(operation["response"]["@type"], type_url);
        }
    }
}

#[test]
fn errors_carry_their_details() {
    use base64::Engine as _;
    let (server, mut grpc) = start();
    let session = server.session();
    let reply = grpc.call(&format!("{SESSIONS}/AppendEvent"), &append(&session, b""));
    assert_eq!(reply.code, INVALID_ARGUMENT);
    assert!(
        reply.error.starts_with("List of found errors:\t1.Field: event.author; Message: Required"),
        "{reply:?}"
    );
    let details = base64::engine::general_purpose::STANDARD_NO_PAD.decode(reply.details.unwrap()).unwrap();
    let status = rpc::Status::decode(details.as_slice()).unwrap();
    assert_eq!((status.code, &status.message), (reply.code, &reply.error));
    assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.BadRequest");
    let bad_request = rpc::BadRequest::decode(status.details[0].value.as_slice()).unwrap();
    let fields: Vec<_> =
        bad_request.field_violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["event.author", "event.invocation_id", "event.timestamp"]);

    let missing = format!("{LOCATION}/reasoningEngines/1/sessions/2");
    let get = wire::GetSessionRequest { name: missing }.encode_to_vec();
    let reply = grpc.call(&format!("{SESSIONS}/GetSession"), &get);
    assert_eq!((reply.code, reply.details), (NOT_FOUND, None));
}

#[test]
fn bytes_that_are_no_request_are_refused_and_lose_nothing() {
    let (server, mut grpc) = start();
    let session = server.session();
    server.append(&session, "2026-01-01T00:00:00Z", &json!({"kept": true}));
    let before = server.read(&session);
    let deep = (0..500).fold(Vec::new(), |inner: Vec<u8>, _| {
        // A Value that holds a list that holds a Value...
        let mut list = Vec::new();
        prost::encoding::bytes::encode(1, &inner, &mut list);
        let mut value = Vec::new();
        prost::encoding::bytes::encode(6, &list, &mut value);
        value
    });
    let mut entry = Vec::new();
    prost::encoding::string::encode(1, &"k".to_owned(), &mut entry);
    prost::encoding::bytes::encode(2, &deep, &mut entry);
    let mut raw_event = Vec::new();
    prost::encoding::bytes::encode(1, &entry, &mut raw_event);
    let mut field = Vec::new();
    prost::encoding::bytes::encode(12, &raw_event, &mut field);
    for bytes in [
        // Cut short; no field 0; not UTF-8; a message where a text belongs; far too deep.
        b"\x0a\xff\xff".to_vec(),
        b"\x00\x00".to_vec(),
        append(&session, &event_with(b"\x1a\x02\xff\xfe")),
        append(&session, &event_with(b"\x18\x01")),
        append(&session, &event_with(&field)),
        // A number that JSON does not have: field 12, entry "k", a value that is NaN.
        append(
            &session,
            &event_with(b"\x62\x10\x0a\x0e\x0a\x01k\x12\x09\x11\x00\x00\x00\x00\x00\x00\xf8\x7f"),
        ),
        // A time that no clock shows.
        append(&session, &event_with(b"\x42\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x10")),
    ] {
        let reply = grpc.call(&format!("{SESSIONS}/AppendEvent"), &bytes);
        assert_eq!(reply.code, INVALID_ARGUMENT, "{bytes:?}: {reply:?}");
    }
    assert_eq!(server.read(&session), before);
    let page = server.get(&format!("/v1beta1/{session}/events")).ok();
    assert_eq!(page["sessionEvents"].as_array().unwrap().len(), 1);
}

#[test]
fn a_message_over_the_limit_is_resource_exhausted() {
    let server = Server::start_with(&["--max-body-bytes", "10000"]);
    let mut grpc = GrpcClient::new(server.address());
    let session = server.session();
    let reply = grpc.call(&format!("{SESSIONS}/AppendEvent"), &append(&session, &vec![0; 20_000]));
    assert_eq!(reply.code, RESOURCE_EXHAUSTED, "{reply:?}");
}

#[test]
fn what_a_newer_client_sends_is_kept() {
    let (server, mut grpc) = start();
    let session = server.session();
    // A field that no schema here has: number 5000, a text.
    let mut unknown = Vec::new();
    prost::encoding::string::encode(5000, &"from the future".to_owned(), &mut unknown);
    let sent = event_with(&unknown);
    let headers = [("x-goog-request-params", "name=nonsense"), ("x-goog-api-client", "gl-test/1")];
    let reply = grpc.call_with(&format!("{SESSIONS}/AppendEvent"), &append(&session, &sent), &headers);
    assert_eq!(reply.code, OK, "{reply:?}");
    let list = wire::ListEventsRequest { parent: session, ..Default::default() }.encode_to_vec();
    let events: wire::ListEventsResponse = decode(&grpc.call(&format!("{SESSIONS}/ListEvents"), &list));
    let kept = &events.session_events[0];
    assert!(kept.windows(unknown.len()).any(|window| window == unknown));
}

#[test]
fn a_deadline_ends_a_call() {
    let (_server, mut grpc) = start();
    let started = Instant::now();
    let reply = grpc.call_without_end(&format!("{SESSIONS}/GetSession"), &[("grpc-timeout", "50m")]);
    assert_eq!(reply.code, DEADLINE_EXCEEDED);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_long_list_fits_through() {
    let (server, mut grpc) = start();
    let session = server.session();
    for n in 0..100 {
        let mut large = event(&format!("2026-01-01T00:{:02}:{:02}Z", n / 60, n % 60), &json!({}));
        large["content"]["parts"][0]["text"] = "x".repeat(40_000).into();
        server.post(&format!("/v1beta1/{session}:appendEvent"), &large).ok();
    }
    let list = wire::ListEventsRequest { parent: session, ..Default::default() }.encode_to_vec();
    let events: wire::ListEventsResponse = decode(&grpc.call(&format!("{SESSIONS}/ListEvents"), &list));
    assert_eq!(events.session_events.len(), 100);
}

/// `grpc.health.v1.HealthCheckRequest`; its answer's only field is the status, 1 for SERVING.
fn health_request(service: &str) -> Vec<u8> {
    let mut request = Vec::new();
    prost::encoding::string::encode(1, &service.to_owned(), &mut request);
    request
}

#[test]
fn health_is_told_for_each_service() {
    let (_server, mut grpc) = start();
    for service in ["", "google.cloud.aiplatform.v1.SessionService", "google.longrunning.Operations"] {
        let reply = grpc.call("/grpc.health.v1.Health/Check", &health_request(service));
        assert_eq!((reply.code, reply.message), (OK, vec![8, 1]), "{service}");
    }
    assert_eq!(grpc.call("/grpc.health.v1.Health/Check", &health_request("none")).code, NOT_FOUND);
}

#[test]
fn a_watch_sees_the_stop_and_does_not_hold_it_up() {
    let (server, mut grpc) = start();
    let mut watch = grpc.watch("/grpc.health.v1.Health/Watch", &health_request(""));
    assert_eq!(watch.next(), Some(vec![8, 1]));
    let asked = Instant::now();
    server.signal(Signal::TERM);
    let said = std::iter::from_fn(|| watch.next()).collect::<Vec<_>>();
    assert!(said.iter().all(|message| message == &[8, 2]), "{said:?}");
    assert!(server.wait().success());
    assert!(asked.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_broken_frame_is_an_error_and_not_the_end() {
    let (server, mut grpc) = start();
    let session = server.session();
    let get = wire::GetSessionRequest { name: session }.encode_to_vec();
    // Compression that was not announced.
    let reply = grpc.call_with(&format!("{SESSIONS}/GetSession"), &get, &[("grpc-encoding", "snappy")]);
    assert!([UNIMPLEMENTED, INTERNAL, INVALID_ARGUMENT].contains(&reply.code), "{reply:?}");
    assert_eq!(grpc.call(&format!("{SESSIONS}/GetSession"), &get).code, OK);
}
