//! Thins the descriptors before code is generated: payloads become `bytes`, which are the same on the
//! wire, so that the hot path neither decodes nor encodes them.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, OneofDescriptorProto};

/// The messages that stay messages although they hold what callers write.
const TYPED: &[&str] = &["Session", "ReasoningEngine", "GenericOperationMetadata"];

/// The files that generate nothing: what they describe is payload, not ours, or there already: `v1` has the
/// messages of `v1beta1`.
fn generates_nothing(file: &str) -> bool {
    let own = ["session", "session_service", "reasoning_engine", "reasoning_engine_service", "operation"];
    match file.strip_prefix("google/cloud/aiplatform/") {
        Some(rest) if rest.starts_with("v1/") => true,
        Some(rest) => {
            let stem =
                rest.split('/').nth(1).and_then(|name| name.strip_suffix(".proto")).unwrap_or_default();
            !own.contains(&stem)
        }
        None => file.starts_with("google/api/"),
    }
}

/// The descriptors that code is generated from.
pub fn thinned(mut set: FileDescriptorSet) -> FileDescriptorSet {
    set.file.retain(|file| !generates_nothing(file.name()));
    for file in &mut set.file {
        let resources =
            file.name().ends_with("/session.proto") || file.name().ends_with("/reasoning_engine.proto");
        if resources {
            file.message_type.retain(|message| TYPED.contains(&message.name()));
            file.enum_type.clear();
            file.message_type.iter_mut().for_each(keep_map_entries);
        }
        // The well-known types stay as they are: prost has them ready-made.
        if file.package() != "google.protobuf" {
            file.message_type.iter_mut().for_each(thin_message);
        }
    }
    set
}

fn thin_message(message: &mut DescriptorProto) {
    for field in &mut message.field {
        if !is_thin(field) {
            continue;
        }
        field.set_type(Type::Bytes);
        field.type_name = None;
        // A member of a real oneof has presence already; a repeated field needs none.
        if field.label() == Label::Optional && field.oneof_index.is_none() {
            field.proto3_optional = Some(true);
            field.oneof_index = i32::try_from(message.oneof_decl.len()).ok();
            message
                .oneof_decl
                .push(OneofDescriptorProto { name: Some(format!("_{}", field.name())), options: None });
        }
    }
}

/// Drops what is nested in a resource, but for the entries of its maps.
fn keep_map_entries(message: &mut DescriptorProto) {
    message.nested_type.retain(|nested| nested.options.as_ref().is_some_and(|options| options.map_entry()));
    message.enum_type.clear();
}

fn is_thin(field: &FieldDescriptorProto) -> bool {
    if field.r#type() != Type::Message {
        return false;
    }
    let name = field.type_name();
    if name == ".google.protobuf.Struct" {
        return true;
    }
    let Some((_, local)) =
        name.strip_prefix(".google.cloud.aiplatform.").and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    let is_map_entry = local.ends_with("Entry");
    !is_map_entry && !TYPED.contains(&local)
}
