//! prost-reflect as the oracle: random messages through both, both ways. They are compared by the
//! oracle's JSON: an Any holds bytes, whose order is free.

use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, SerializeOptions,
    Value,
};

use super::{POOL, SCHEMA, dynamic, print, read, read_bytes};

/// Makes messages out of random numbers.
struct Maker {
    state: u64,
}

impl Maker {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn text(&mut self) -> String {
        let pool = ['a', 'Z', '0', '"', '\\', '\n', '\u{1}', 'é', '日', '😀', '\u{2028}', ' ', '/'];
        (0..self.below(6)).map(|_| pool[self.below(pool.len() as u64) as usize]).collect()
    }

    fn double(&mut self) -> f64 {
        match self.below(6) {
            0 => 0.0,
            1 => self.next() as i32 as f64,
            2 => -0.5,
            3 => 1e300,
            4 => 9_007_199_254_740_993.0,
            _ => loop {
                let value = f64::from_bits(self.next());
                if value.is_finite() {
                    break value;
                }
            },
        }
    }

    fn message(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        match of.full_name() {
            "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" => {
                return self.structure(of, depth);
            }
            "google.protobuf.Timestamp" => {
                return self.parts(of, -62_135_596_800, 253_402_300_799, |_, n| n as i32);
            }
            "google.protobuf.Duration" => {
                return self.parts(of, -315_576_000_000, 315_576_000_000, |s, n| {
                    if s < 0 { -(n as i32) } else { n as i32 }
                });
            }
            "google.protobuf.FieldMask" => {
                let mut mask = DynamicMessage::new(of.clone());
                let paths = vec![Value::String("a_path".into()), Value::String("b.c_d".into())];
                mask.set_field_by_name("paths", Value::List(paths));
                return mask;
            }
            "google.protobuf.Any" => {
                let inner = self.message(&POOL.get_message_by_name("test.Every").unwrap(), depth + 1);
                let mut any = DynamicMessage::new(of.clone());
                any.set_field_by_name("type_url", Value::String("type.googleapis.com/test.Every".into()));
                any.set_field_by_name("value", Value::Bytes(inner.encode_to_vec().into()));
                return any;
            }
            _ => {}
        }
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            let composite = matches!(field.kind(), Kind::Message(_)) || field.is_list() || field.is_map();
            // Fewer and smaller the deeper; one member of a oneof at most, the last one set.
            if self.below(4) != 0 || (composite && depth > 2) {
                continue;
            }
            let value = if field.is_map() {
                self.map(&field, depth)
            } else if field.is_list() {
                Value::List((0..self.below(4)).map(|_| self.value(&field, depth + 1)).collect())
            } else {
                self.value(&field, depth + 1)
            };
            message.set_field(&field, value);
        }
        message
    }

    fn map(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        let Kind::Message(entry) = field.kind() else { unreachable!() };
        let entries = (0..self.below(4)).map(|_| {
            let key = match entry.map_entry_key_field().kind() {
                Kind::Int32 => MapKey::I32(self.next() as i32),
                Kind::Bool => MapKey::Bool(self.below(2) == 0),
                Kind::Uint64 => MapKey::U64(self.next()),
                _ => MapKey::String(self.text()),
            };
            (key, self.value(&entry.map_entry_value_field(), depth + 1))
        });
        Value::Map(entries.collect::<Vec<_>>().into_iter().collect())
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        match field.kind() {
            Kind::Double => Value::F64(self.double()),
            Kind::Float => Value::F32(self.double() as i16 as f32 / 4.0),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.next() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.next() as i64),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.next() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.next()),
            Kind::Bool => Value::Bool(self.below(2) == 0),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => {
                Value::Bytes((0..self.below(5)).map(|_| self.next() as u8).collect::<Vec<_>>().into())
            }
            Kind::Enum(of) if of.full_name() == "google.protobuf.NullValue" => Value::EnumNumber(0),
            Kind::Enum(_) => Value::EnumNumber([0, 1, 5, -2, 77][self.below(5) as usize]),
            Kind::Message(of) => Value::Message(self.message(&of, depth)),
        }
    }

    fn parts(
        &mut self,
        of: &MessageDescriptor,
        low: i64,
        high: i64,
        sign: fn(i64, u64) -> i32,
    ) -> DynamicMessage {
        let seconds = low + (self.next() % (high - low) as u64) as i64;
        let nanos = [0, 5_000_000, 7_000, 3][self.below(4) as usize];
        let mut message = DynamicMessage::new(of.clone());
        message.set_field_by_name("seconds", Value::I64(seconds));
        message.set_field_by_name("nanos", Value::I32(sign(seconds, nanos)));
        message
    }

    /// A `Value` has exactly one kind, and holds no number that JSON lacks.
    fn structure(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let json = self.json(depth, of.name());
        DynamicMessage::deserialize(of.clone(), json).unwrap()
    }

    fn json(&mut self, depth: usize, kind: &str) -> serde_json::Value {
        let kind = match kind {
            "Struct" => 5,
            "ListValue" => 4,
            _ if depth > 3 => self.below(4),
            _ => self.below(6),
        };
        match kind {
            0 => serde_json::Value::Null,
            1 => serde_json::Value::Bool(self.below(2) == 0),
            2 => self.double().into(),
            3 => self.text().into(),
            4 => (0..self.below(3)).map(|_| self.json(depth + 1, "Value")).collect(),
            _ => {
                let entries = (0..self.below(3)).map(|_| (self.text(), self.json(depth + 1, "Value")));
                serde_json::Value::Object(entries.collect())
            }
        }
    }
}

fn made(seed: u64) -> DynamicMessage {
    Maker { state: seed }.message(&POOL.get_message_by_name("test.Every").unwrap(), 0)
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
