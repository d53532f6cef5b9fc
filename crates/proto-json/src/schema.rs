//! Message types as tables, made once from descriptors.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use crate::error::SchemaError;

/// All message types that are known.
#[derive(Debug)]
pub struct Schema {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    by_name: HashMap<String, MessageId>,
}

/// A handle of a message type within its [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(usize);

/// What a caller may know about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its number.
    pub number: u32,
    /// Whether it is a list or a map.
    pub repeated: bool,
    /// Its message type, if it is a message.
    pub message: Option<MessageId>,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) full_name: String,
    pub(crate) fields: Vec<Field>,
    /// JSON names and proto names; a field has one or both.
    by_name: HashMap<String, usize>,
    by_number: HashMap<u32, usize>,
    pub(crate) oneofs: Vec<String>,
    pub(crate) well_known: Option<WellKnown>,
    pub(crate) is_map_entry: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) json_name: String,
    pub(crate) kind: Kind,
    pub(crate) repeated: bool,
    pub(crate) packed: bool,
    /// Printed when present even at its default: messages, members of oneofs, `optional`.
    pub(crate) has_presence: bool,
    /// The real oneof that it is a member of.
    pub(crate) oneof: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum(usize),
    Message(MessageId),
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) full_name: String,
    by_name: HashMap<String, i32>,
    by_number: HashMap<i32, String>,
}

/// Types with a JSON form of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WellKnown {
    Any,
    Duration,
    Empty,
    FieldMask,
    ListValue,
    Struct,
    Timestamp,
    Value,
    Wrapper,
}

pub(crate) const NULL_VALUE: &str = "google.protobuf.NullValue";

impl Schema {
    /// Reads an encoded `google.protobuf.FileDescriptorSet`.
    ///
    /// # Errors
    /// Bytes that are no such set, or a set that refers to types which are not in it.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, SchemaError> {
        let set = FileDescriptorSet::decode(bytes)
            .map_err(|e| SchemaError(format!("not a descriptor set: {e}")))?;
        let mut found = Found::default();
        for file in &set.file {
            let prefix = file.package();
            for message in &file.message_type {
                found.message(prefix, message);
            }
            for of in &file.enum_type {
                found.enumeration(prefix, of);
            }
        }
        found.resolve()
    }

    /// The type of this full name, such as `google.rpc.Status`.
    pub fn message(&self, full_name: &str) -> Option<MessageId> {
        self.by_name.get(full_name).copied()
    }

    /// A field by its JSON name or its proto name.
    pub fn field(&self, message: MessageId, name: &str) -> Option<FieldInfo> {
        let field = self.get(message).field_by_name(name)?;
        let message = match field.kind {
            Kind::Message(id) => Some(id),
            _ => None,
        };
        Some(FieldInfo { number: field.number, repeated: field.repeated, message })
    }

    #[expect(clippy::indexing_slicing, reason = "a MessageId is made only by resolve(), for its own table")]
    pub(crate) fn get(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    #[expect(clippy::indexing_slicing, reason = "an enum index is made only by resolve(), for its own table")]
    pub(crate) fn get_enum(&self, index: usize) -> &Enum {
        &self.enums[index]
    }

    /// The type that the `value` field of a map's entry has, with the entry's key.
    pub(crate) fn map_entry(&self, kind: Kind) -> Option<(&Field, &Field)> {
        let Kind::Message(id) = kind else { return None };
        let entry = self.get(id);
        if !entry.is_map_entry {
            return None;
        }
        entry.field_by_number(1).zip(entry.field_by_number(2))
    }
}

impl Message {
    pub(crate) fn field_by_name(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).and_then(|index| self.fields.get(*index))
    }

    pub(crate) fn index_by_name(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn field_by_number(&self, number: u32) -> Option<&Field> {
        self.by_number.get(&number).and_then(|index| self.fields.get(*index))
    }

    pub(crate) fn index_by_number(&self, number: u32) -> Option<usize> {
        self.by_number.get(&number).copied()
    }
}

impl Enum {
    pub(crate) fn number(&self, name: &str) -> Option<i32> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn name(&self, number: i32) -> Option<&str> {
        self.by_number.get(&number).map(String::as_str)
    }
}

/// Descriptors by full name, before references are resolved.
#[derive(Default)]
struct Found<'d> {
    messages: Vec<(String, &'d DescriptorProto)>,
    enums: Vec<(String, &'d EnumDescriptorProto)>,
}

impl<'d> Found<'d> {
    fn message(&mut self, prefix: &str, message: &'d DescriptorProto) {
        let name = join(prefix, message.name());
        for nested in &message.nested_type {
            self.message(&name, nested);
        }
        for of in &message.enum_type {
            self.enumeration(&name, of);
        }
        self.messages.push((name, message));
    }

    fn enumeration(&mut self, prefix: &str, of: &'d EnumDescriptorProto) {
        self.enums.push((join(prefix, of.name()), of));
    }

    fn resolve(self) -> Result<Schema, SchemaError> {
        let names = self.messages.iter().enumerate();
        let by_name: HashMap<_, _> =
            names.map(|(index, (name, _))| (name.clone(), MessageId(index))).collect();
        let names = self.enums.iter().enumerate();
        let enums_by_name: HashMap<_, _> = names.map(|(index, (name, _))| (name.as_str(), index)).collect();
        let messages = self
            .messages
            .iter()
            .map(|(name, message)| resolve_message(name, message, &by_name, &enums_by_name))
            .collect::<Result<_, _>>()?;
        let enums = self.enums.iter().map(|(name, of)| resolve_enum(name, of)).collect();
        Ok(Schema { messages, enums, by_name })
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn resolve_message(
    full_name: &str,
    message: &DescriptorProto,
    messages: &HashMap<String, MessageId>,
    enums: &HashMap<&str, usize>,
) -> Result<Message, SchemaError> {
    let fields = message
        .field
        .iter()
        .map(|field| resolve_field(field, messages, enums))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|SchemaError(problem)| SchemaError(format!("{full_name}: {problem}")))?;
    let mut by_name = HashMap::new();
    let mut by_number = HashMap::new();
    for (index, field) in fields.iter().enumerate() {
        by_name.insert(field.name.clone(), index);
        by_name.insert(field.json_name.clone(), index);
        by_number.insert(field.number, index);
    }
    Ok(Message {
        full_name: full_name.to_owned(),
        fields,
        by_name,
        by_number,
        oneofs: message.oneof_decl.iter().map(|oneof| oneof.name().to_owned()).collect(),
        well_known: well_known(full_name),
        is_map_entry: message.options.as_ref().is_some_and(|options| options.map_entry()),
    })
}

fn resolve_field(
    field: &FieldDescriptorProto,
    messages: &HashMap<String, MessageId>,
    enums: &HashMap<&str, usize>,
) -> Result<Field, SchemaError> {
    let type_name = field.type_name().trim_start_matches('.');
    let unknown = || SchemaError(format!("the type {type_name} of field {} is not in the set", field.name()));
    let kind = match field.r#type() {
        Type::Double => Kind::Double,
        Type::Float => Kind::Float,
        Type::Int32 => Kind::Int32,
        Type::Int64 => Kind::Int64,
        Type::Uint32 => Kind::Uint32,
        Type::Uint64 => Kind::Uint64,
        Type::Sint32 => Kind::Sint32,
        Type::Sint64 => Kind::Sint64,
        Type::Fixed32 => Kind::Fixed32,
        Type::Fixed64 => Kind::Fixed64,
        Type::Sfixed32 => Kind::Sfixed32,
        Type::Sfixed64 => Kind::Sfixed64,
        Type::Bool => Kind::Bool,
        Type::String => Kind::String,
        Type::Bytes => Kind::Bytes,
        Type::Enum => Kind::Enum(*enums.get(type_name).ok_or_else(unknown)?),
        Type::Message => Kind::Message(*messages.get(type_name).ok_or_else(unknown)?),
        Type::Group => return Err(SchemaError(format!("the field {} is a group", field.name()))),
    };
    let repeated = field.label() == Label::Repeated;
    let synthetic = field.proto3_optional();
    let oneof = field.oneof_index.filter(|_| !synthetic).and_then(|index| usize::try_from(index).ok());
    let scalar = !matches!(kind, Kind::String | Kind::Bytes | Kind::Message(_));
    Ok(Field {
        number: u32::try_from(field.number())
            .map_err(|_| SchemaError("a negative field number".to_owned()))?,
        name: field.name().to_owned(),
        json_name: field.json_name.clone().unwrap_or_else(|| camel_case(field.name())),
        packed: repeated
            && scalar
            && field.options.as_ref().and_then(|options| options.packed).unwrap_or(true),
        has_presence: !repeated && (synthetic || oneof.is_some() || matches!(kind, Kind::Message(_))),
        kind,
        repeated,
        oneof,
    })
}

fn resolve_enum(full_name: &str, of: &EnumDescriptorProto) -> Enum {
    let mut by_number = HashMap::new();
    for value in &of.value {
        // Of aliases the first is printed.
        by_number.entry(value.number()).or_insert_with(|| value.name().to_owned());
    }
    Enum {
        full_name: full_name.to_owned(),
        by_name: of.value.iter().map(|value| (value.name().to_owned(), value.number())).collect(),
        by_number,
    }
}

fn well_known(full_name: &str) -> Option<WellKnown> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Any" => WellKnown::Any,
        "Duration" => WellKnown::Duration,
        "Empty" => WellKnown::Empty,
        "FieldMask" => WellKnown::FieldMask,
        "ListValue" => WellKnown::ListValue,
        "Struct" => WellKnown::Struct,
        "Timestamp" => WellKnown::Timestamp,
        "Value" => WellKnown::Value,
        "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value"
        | "BoolValue" | "StringValue" | "BytesValue" => WellKnown::Wrapper,
        _ => return None,
    })
}

/// `snake_case` to `camelCase`, as protobuf derives JSON names.
pub(crate) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper_next = false;
    for c in name.chars() {
        match c {
            '_' => upper_next = true,
            c if std::mem::take(&mut upper_next) => camel.push(c.to_ascii_uppercase()),
            c => camel.push(c),
        }
    }
    camel
}
