//! Message types as JSON has them, with their comments.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use super::NotDescribable;

/// All types and the comments of all RPCs, by full name.
#[derive(Debug, Default)]
pub(super) struct Model {
    messages: BTreeMap<String, Message>,
    enums: BTreeMap<String, Vec<String>>,
    rpcs: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) comment: String,
    pub(super) fields: Vec<Field>,
    /// The JSON names of the members of each oneof.
    pub(super) oneofs: Vec<Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) json_name: String,
    pub(super) comment: String,
    pub(super) shape: Shape,
}

/// What a value looks like in JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Bool,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    FieldMask,
    Null,
    /// Any JSON.
    Value,
    /// An object with any members.
    Struct,
    /// An object with any members, of which `@type` says the type.
    Any,
    /// By full name.
    Enum(String),
    /// By full name.
    Message(String),
    List(Box<Shape>),
    /// From strings to values.
    Map(Box<Shape>),
}

impl Field {
    /// By the convention of our comments.
    pub(super) fn is_output_only(&self) -> bool {
        self.comment.starts_with("Output only")
    }

    /// By the convention of our comments.
    pub(super) fn is_required(&self) -> bool {
        self.comment.starts_with("Required")
    }
}

impl Shape {
    /// Whether a query parameter can hold it.
    pub(super) fn is_textual(&self) -> bool {
        match self {
            Self::Value | Self::Struct | Self::Any | Self::Message(_) | Self::Map(_) => false,
            Self::List(item) => !matches!(**item, Self::List(_)) && item.is_textual(),
            _ => true,
        }
    }
}

impl Model {
    /// Reads an encoded `google.protobuf.FileDescriptorSet`.
    pub(super) fn read(descriptor_set: &[u8]) -> Result<Self, NotDescribable> {
        let set =
            FileDescriptorSet::decode(descriptor_set).map_err(|error| NotDescribable(error.to_string()))?;
        let mut model = Self::default();
        for file in &set.file {
            let locations = file.source_code_info.iter().flat_map(|info| &info.location);
            let comments =
                locations.map(|location| (location.path.as_slice(), location.leading_comments())).collect();
            let file_of = Comments { by_path: comments };
            // What leads to a declaration: the number of the list that it is in, then its place there.
            for (message, place) in file.message_type.iter().zip(0..) {
                model.add_message(file.package(), message, &[4, place], &file_of)?;
            }
            for of in &file.enum_type {
                model.add_enum(file.package(), of);
            }
            for (service, place) in file.service.iter().zip(0..) {
                for (rpc, nested) in service.method.iter().zip(0..) {
                    let name = format!("{}.{}.{}", file.package(), service.name(), rpc.name());
                    model.rpcs.insert(name, file_of.at(&[6, place, 2, nested]));
                }
            }
        }
        Ok(model)
    }

    /// The message of this full name.
    pub(super) fn message(&self, full_name: &str) -> Option<&Message> {
        self.messages.get(full_name)
    }

    /// The names of an enum's values.
    pub(super) fn enum_names(&self, full_name: &str) -> &[String] {
        self.enums.get(full_name).map_or(&[], Vec::as_slice)
    }

    /// The comment of the RPC of this full name.
    pub(super) fn rpc_comment(&self, full_name: &str) -> &str {
        self.rpcs.get(full_name).map_or("", String::as_str)
    }

    /// The messages of these full names and all that they hold.
    pub(super) fn reachable(&self, roots: impl IntoIterator<Item = String>) -> BTreeMap<&str, &Message> {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<String> = roots.into_iter().collect();
        while let Some(name) = waiting.pop() {
            let Some((name, message)) = self.messages.get_key_value(&name) else { continue };
            if found.insert(name.as_str(), message).is_none() {
                waiting.extend(message.fields.iter().filter_map(|field| field.shape.message()));
            }
        }
        found
    }

    fn add_message(
        &mut self,
        prefix: &str,
        message: &DescriptorProto,
        path: &[i32],
        comments: &Comments<'_>,
    ) -> Result<(), NotDescribable> {
        let name = format!("{prefix}.{}", message.name());
        let entries: BTreeMap<String, &DescriptorProto> = message
            .nested_type
            .iter()
            .filter(|nested| nested.options.as_ref().is_some_and(|options| options.map_entry()))
            .map(|entry| (format!(".{name}.{}", entry.name()), entry))
            .collect();
        let mut fields = Vec::with_capacity(message.field.len());
        for (field, place) in message.field.iter().zip(0..) {
            let shape = shape_of(field, &entries)
                .map_err(|type_name| NotDescribable(format!("{name} holds a {type_name}")))?;
            fields.push(Field {
                name: field.name().to_owned(),
                json_name: field.json_name().to_owned(),
                comment: comments.at(&[path, &[2, place]].concat()),
                shape,
            });
        }
        for (nested, place) in message.nested_type.iter().zip(0..) {
            self.add_message(&name, nested, &[path, &[3, place]].concat(), comments)?;
        }
        for of in &message.enum_type {
            self.add_enum(&name, of);
        }
        let message = Message { comment: comments.at(path), fields, oneofs: oneofs(message) };
        self.messages.insert(name, message);
        Ok(())
    }

    fn add_enum(&mut self, prefix: &str, of: &EnumDescriptorProto) {
        let names = of.value.iter().map(|value| value.name().to_owned()).collect();
        self.enums.insert(format!("{prefix}.{}", of.name()), names);
    }
}

impl Shape {
    /// The message that it is, or is made of.
    pub(super) fn message(&self) -> Option<String> {
        match self {
            Self::Message(name) => Some(name.clone()),
            Self::List(inner) | Self::Map(inner) => inner.message(),
            _ => None,
        }
    }
}

/// The members of each oneof that the caller chooses from; those of `optional` fields have but one.
fn oneofs(message: &DescriptorProto) -> Vec<Vec<String>> {
    let members = |index| {
        let belongs = move |field: &&FieldDescriptorProto| field.oneof_index == Some(index);
        message.field.iter().filter(belongs).map(|field| field.json_name().to_owned()).collect::<Vec<_>>()
    };
    let all = message.oneof_decl.iter().zip(0..).map(|(_, index)| members(index));
    all.filter(|members| members.len() > 1).collect()
}

/// The shape of a field; where there is none, the name of its type.
fn shape_of(
    field: &FieldDescriptorProto,
    map_entries: &BTreeMap<String, &DescriptorProto>,
) -> Result<Shape, String> {
    if let Some(entry) = map_entries.get(field.type_name()) {
        let value = entry.field.iter().find(|field| field.number() == 2);
        let value = value.ok_or_else(|| field.type_name().to_owned())?;
        return Ok(Shape::Map(Box::new(shape_of(value, map_entries)?)));
    }
    let one = match field.r#type() {
        Type::Bool => Shape::Bool,
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => Shape::Int32,
        Type::Uint32 | Type::Fixed32 => Shape::Uint32,
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => Shape::Int64,
        Type::Uint64 | Type::Fixed64 => Shape::Uint64,
        Type::Float => Shape::Float,
        Type::Double => Shape::Double,
        Type::String => Shape::String,
        Type::Bytes => Shape::Bytes,
        Type::Enum | Type::Message => named_shape(field)?,
        Type::Group => return Err(field.type_name().to_owned()),
    };
    Ok(if field.label() == Label::Repeated { Shape::List(Box::new(one)) } else { one })
}

fn named_shape(field: &FieldDescriptorProto) -> Result<Shape, String> {
    let name = field.type_name().trim_start_matches('.');
    Ok(match (name.strip_prefix("google.protobuf."), field.r#type()) {
        (Some("Any"), _) => Shape::Any,
        (Some("Duration"), _) => Shape::Duration,
        (Some("FieldMask"), _) => Shape::FieldMask,
        (Some("ListValue"), _) => Shape::List(Box::new(Shape::Value)),
        (Some("NullValue"), _) => Shape::Null,
        (Some("Struct"), _) => Shape::Struct,
        (Some("Timestamp"), _) => Shape::Timestamp,
        (Some("Value"), _) => Shape::Value,
        (None | Some("Empty"), Type::Message) => Shape::Message(name.to_owned()),
        (None, _) => Shape::Enum(name.to_owned()),
        (Some(_), _) => return Err(name.to_owned()),
    })
}

/// The comments of one file.
struct Comments<'d> {
    by_path: BTreeMap<&'d [i32], &'d str>,
}

impl Comments<'_> {
    /// The comment of the declaration at a path, on one line, without what only readers of the file need.
    fn at(&self, path: &[i32]) -> String {
        let text = self.by_path.get(path).copied().unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let for_all = |sentence: &&str| {
            let sentence = sentence.trim_end().trim_end_matches('.');
            !sentence.ends_with("is ours")
                && !sentence.ends_with("are ours")
                && sentence != "Values as published"
        };
        let mut kept = text.split_inclusive(". ").filter(for_all).collect::<String>();
        kept.truncate(kept.trim_end().len());
        kept
    }
}
