//! REST and gRPC are two ways to the same place: what one stores, the other would have stored.

use std::sync::LazyLock;

use colloquy_contract::DESCRIPTOR_SET;
use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value};
use serde_json::json;

use crate::grpc_client::GrpcClient;
use crate::random_messages::Maker;
use crate::server::Server;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_SET).unwrap());

const PACKAGE: &str = "google.cloud.aiplatform.v1beta1";
const SERVICE: &str = "/google.cloud.aiplatform.v1beta1.SessionService";

fn message(name: &str) -> DynamicMessage {
    DynamicMessage::new(POOL.get_message_by_name(&format!("{PACKAGE}.{name}")).unwrap())
}

/// An event with everything that is required and much that is not. Its time is one that its place in a
/// list does not depend on.
fn event(seed: u64, map_entries: u64) -> DynamicMessage {
    let descriptor = message("SessionEvent").descriptor();
    let mut event = Maker::new(seed, map_entries).message(&descriptor, 0);
    event.set_field_by_name("author", Value::String("author".into()));
    event.set_field_by_name("invocation_id", Value::String("invocation".into()));
    event.clear_field_by_name("name");
    if !event.has_field_by_name("timestamp") {
        let time = DynamicMessage::new(POOL.get_message_by_name("google.protobuf.Timestamp").unwrap());
        event.set_field_by_name("timestamp", Value::Message(time));
    }
    event
}

fn to_json(message: &DynamicMessage) -> Vec<u8> {
    serde_json::to_vec(message).unwrap()
}

/// Both protocols against one server, with an engine of their own.
struct Both {
    server: Server,
    grpc: GrpcClient,
    engine: String,
}

impl Both {
    fn start() -> Self {
        let server = Server::start();
        let (grpc, engine) = (GrpcClient::new(server.address()), server.engine());
        Self { server, grpc, engine }
    }

    fn session(&self) -> String {
        self.server.session_in(&self.engine, &json!({"userId": "u"}))
    }

    fn append_rest(&self, session: &str, event: &DynamicMessage) {
        let path = format!("/v1beta1/{session}:appendEvent");
        let answer = self.server.client().send_bytes("POST", &path, Some(&to_json(event)));
        assert_eq!(answer.ok(), json!({}));
    }

    fn append_grpc(&mut self, session: &str, event: &DynamicMessage) {
        let mut request = message("AppendEventRequest");
        request.set_field_by_name("name", Value::String(session.into()));
        request.set_field_by_name("event", Value::Message(event.clone()));
        let reply = self.grpc.call(&format!("{SERVICE}/AppendEvent"), &request.encode_to_vec());
        assert_eq!((reply.code, reply.error.as_str()), (0, ""));
    }

    /// The only event of a session over REST, without its name.
    fn read_rest(&self, session: &str) -> serde_json::Value {
        let page = self.server.get(&format!("/v1beta1/{session}/events")).ok();
        let mut event = page["sessionEvents"][0].clone();
        assert!(event.as_object_mut().unwrap().remove("name").is_some());
        event
    }

    /// The only event of a session over gRPC, without its name: the bytes, and what they say.
    fn read_grpc(&mut self, session: &str) -> (Vec<u8>, DynamicMessage) {
        let mut request = message("ListEventsRequest");
        request.set_field_by_name("parent", Value::String(session.into()));
        let reply = self.grpc.call(&format!("{SERVICE}/ListEvents"), &request.encode_to_vec());
        assert_eq!((reply.code, reply.error.as_str()), (0, ""));
        let events = length_delimited_fields(&reply.message);
        assert_eq!(events.len(), 1);
        let event = events[0];
        let decoded = DynamicMessage::decode(message("SessionEvent").descriptor(), event).unwrap();
        let name = decoded.get_field_by_name("name").unwrap().as_str().unwrap().to_owned();
        // The name comes first: tag, length, text; ours are shorter than two length bytes can say.
        let start = if name.len() < 128 { 2 } else { 3 } + name.len();
        let mut decoded = decoded;
        decoded.clear_field_by_name("name");
        (event[start..].to_vec(), decoded)
    }
}

/// The contents of the length-delimited fields of number 1.
fn length_delimited_fields(mut wire: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    while let Some((&tag, mut rest)) = wire.split_first() {
        let length =
            usize::try_from(prost_reflect::prost::encoding::decode_varint(&mut rest).unwrap()).unwrap();
        if tag == 0x0a {
            fields.push(&rest[..length]);
        }
        wire = &rest[length..];
    }
    fields
}

#[test]
fn both_store_the_same_bytes_and_answer_the_same() {
    let mut both = Both::start();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let seeds = any::<u64>();
    let both = std::cell::RefCell::new(&mut both);
    runner
        .run(&seeds, |seed| {
            let mut both = both.borrow_mut();
            let (by_rest, by_grpc) = (both.session(), both.session());
            let event = event(seed, 1);
            both.append_rest(&by_rest, &event);
            both.append_grpc(&by_grpc, &event);
            let ((rest_bytes, _), (grpc_bytes, _)) = (both.read_grpc(&by_rest), both.read_grpc(&by_grpc));
            prop_assert_eq!(rest_bytes, grpc_bytes);
            prop_assert_eq!(both.read_rest(&by_rest), both.read_rest(&by_grpc));
            let state = |name: &str| both.server.read(name)["sessionState"].clone();
            prop_assert_eq!(state(&by_rest), state(&by_grpc));
            Ok(())
        })
        .unwrap();
}

#[test]
fn maps_of_many_entries_mean_the_same() {
    let mut both = Both::start();
    for seed in 0..50 {
        let (by_rest, by_grpc) = (both.session(), both.session());
        let event = event(seed, 4);
        both.append_rest(&by_rest, &event);
        both.append_grpc(&by_grpc, &event);
        let tree = |message: &DynamicMessage| serde_json::to_value(message).unwrap();
        let ((_, rest), (_, grpc)) = (both.read_grpc(&by_rest), both.read_grpc(&by_grpc));
        assert_eq!(tree(&rest), tree(&grpc), "seed {seed}");
        // Members that are always answered are there, and everything that was sent.
        let mut sent = event;
        for member in ["content", "actions", "event_metadata"] {
            let field = sent.descriptor().get_field_by_name(member).unwrap();
            if !sent.has_field(&field) {
                let empty = DynamicMessage::new(field.kind().as_message().unwrap().clone());
                sent.set_field(&field, Value::Message(empty));
            }
        }
        assert_eq!(tree(&grpc), tree(&sent), "seed {seed}");
        assert_eq!(both.read_rest(&by_rest), both.read_rest(&by_grpc), "seed {seed}");
    }
}
