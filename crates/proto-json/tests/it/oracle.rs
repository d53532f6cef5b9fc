//! prost-reflect as the oracle: random messages through both, both ways. They are compared by the
//! oracle's JSON: an Any holds bytes, whose order is free.

use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage as _, SerializeOptions};

use super::random_messages::Maker;
use super::{POOL, SCHEMA, dynamic, print, read, read_bytes};

fn made(seed: u64) -> DynamicMessage {
    Maker::new(seed, 3).message(&POOL.get_message_by_name("test.Every").unwrap(), 0)
}

fn tree(message: &DynamicMessage) -> serde_json::Value {
    serde_json::to_value(message).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_the_oracle_prints_is_read_as_it_is(seed in any::<u64>(), numbers in any::<bool>()) {
        let message = made(seed);
        let mut json = Vec::new();
        let options = SerializeOptions::new().use_enum_numbers(numbers).use_proto_field_name(numbers);
        message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options).unwrap();
        let wire = read_bytes(&json).unwrap();
        prop_assert!(tree(&dynamic(&wire)) == tree(&message), "{}", String::from_utf8_lossy(&json));
    }

    #[test]
    fn what_is_printed_the_oracle_reads(seed in any::<u64>()) {
        let message = made(seed);
        let json = print(&message.encode_to_vec()).unwrap();
        let mut deserializer = serde_json::Deserializer::from_str(&json);
        let read = DynamicMessage::deserialize(message.descriptor(), &mut deserializer);
        prop_assert!(tree(&read.unwrap()) == tree(&message), "{}", json);
    }

    #[test]
    fn a_message_is_valid_and_survives_a_full_mask(seed in any::<u64>()) {
        let message = made(seed);
        let wire = message.encode_to_vec();
        let id = SCHEMA.message("test.Every").unwrap();
        prop_assert_eq!(proto_json::validate_wire(&SCHEMA, id, &wire, 100), Ok(()));
        let names: Vec<_> = message.descriptor().fields().map(|field| field.name().to_owned()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let merged = proto_json::merge_with_mask(&SCHEMA, id, &[], &wire, &names).unwrap();
        prop_assert!(tree(&dynamic(&merged)) == tree(&message), "{}", print(&wire).unwrap());
    }

    #[test]
    fn pieces_merge_as_the_oracle_merges_them(seeds in proptest::collection::vec(any::<u64>(), 2..5)) {
        let wire: Vec<u8> = seeds.iter().flat_map(|seed| made(*seed).encode_to_vec()).collect();
        let id = SCHEMA.message("test.Every").unwrap();
        let json = print(&wire).unwrap();
        // Durations of either sign make one that the oracle does not print.
        prop_assume!(proto_json::validate_wire(&SCHEMA, id, &wire, 100).is_ok());
        prop_assert!(tree(&dynamic(&read_bytes(json.as_bytes()).unwrap())) == tree(&dynamic(&wire)), "{}", json);
    }

    #[test]
    fn no_bytes_panic(wire in proptest::collection::vec(any::<u8>(), 0..200), seed in any::<u64>(), at in any::<usize>(), byte in any::<u8>()) {
        let _ = print(&wire);
        let id = SCHEMA.message("test.Every").unwrap();
        let _ = proto_json::validate_wire(&SCHEMA, id, &wire, 100);
        // A valid message with one byte changed: what passes the check prints, unless a type is unknown.
        let mut wire = made(seed).encode_to_vec();
        if !wire.is_empty() {
            let at = at % wire.len();
            wire[at] = byte;
        }
        let _ = print(&wire);
        let _ = proto_json::merge_with_mask(&SCHEMA, id, &wire, &wire, &["inner.inner.numbers", "a_struct"]);
    }

    #[test]
    fn no_text_panics(seed in any::<u64>(), at in any::<usize>(), c in any::<char>(), noise in "[\\[\\]{}\":,0-9a-z\\\\ ]{0,60}") {
        let _ = read(&noise);
        let mut json: Vec<char> = print(&made(seed).encode_to_vec()).unwrap().chars().collect();
        let at = at % json.len();
        json[at] = c;
        let _ = read(&json.into_iter().collect::<String>());
    }
}
