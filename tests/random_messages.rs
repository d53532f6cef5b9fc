//! Random messages of any type, for property tests: included by those that need it.

use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

/// Makes messages out of random numbers.
pub(crate) struct Maker {
    state: u64,
    /// The most entries that a map has. With more than one, their order on the wire is free; so is whether an
    /// empty key is written, which with one never comes up.
    map_entries: u64,
}

impl Maker {
    /// The same seed makes the same messages.
    pub(crate) fn new(seed: u64, map_entries: u64) -> Self {
        Self { state: seed, map_entries }
    }

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

    fn key(&mut self) -> String {
        let mut key = self.text();
        if self.map_entries == 1 {
            key.push('k');
        }
        key
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

    /// A message with some of its fields.
    pub(crate) fn message(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
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
                let inner =
                    self.message(&of.parent_pool().get_message_by_name("test.Every").unwrap(), depth + 1);
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
        let entries = (0..self.below(self.map_entries + 1)).map(|_| {
            let key = match entry.map_entry_key_field().kind() {
                Kind::Int32 => MapKey::I32(self.next() as i32),
                Kind::Bool => MapKey::Bool(self.below(2) == 0),
                Kind::Uint64 => MapKey::U64(self.next()),
                _ => MapKey::String(self.key()),
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
                let entries = (0..self.below(self.map_entries + 1))
                    .map(|_| (self.key(), self.json(depth + 1, "Value")));
                serde_json::Value::Object(entries.collect())
            }
        }
    }
}
