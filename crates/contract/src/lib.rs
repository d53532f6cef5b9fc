//! The wire contract, compiled from `proto/`: messages in Rust, descriptors, HTTP rules.
//!
//! One set of messages serves both versions. Fields that hold payloads are `bytes` here: the same on
//! the wire, never decoded on the way (`build/thin.rs`); [`DESCRIPTOR_SET`] describes them in full.

/// `colloquy.v1`: what is ours alone.
pub mod colloquy {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/colloquy.v1.rs"));
    }
}

/// The modules as protobuf packages nest: generated code refers to its neighbours this way.
mod google {
    pub mod cloud {
        pub mod aiplatform {
            pub mod v1beta1 {
                include!(concat!(env!("OUT_DIR"), "/google.cloud.aiplatform.v1beta1.rs"));
            }
        }
    }
    pub mod longrunning {
        include!(concat!(env!("OUT_DIR"), "/google.longrunning.rs"));
    }
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
    }
}

/// Messages of `google.cloud.aiplatform.v1beta1`; they serve `v1` too.
pub use google::cloud::aiplatform::v1beta1;
/// `google.longrunning`.
pub use google::longrunning;
/// `google.rpc`.
pub use google::rpc;

/// Every message in full, both versions, as an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// [`DESCRIPTOR_SET`] with the comments of `proto/`, for the documents that describe the API.
pub const DOCUMENTED_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/documented.bin"));

/// Every binding of every RPC to a verb and a path.
pub static HTTP_RULES: &[HttpRule] = include!(concat!(env!("OUT_DIR"), "/http_rules.rs"));

/// One binding of an RPC to a verb and a path (AIP-127).
#[derive(Debug)]
pub struct HttpRule {
    /// Full name, such as `google.cloud.aiplatform.v1.SessionService.GetSession`.
    pub rpc: &'static str,
    /// The last part of the full name.
    pub method: &'static str,
    /// In lower case.
    pub verb: &'static str,
    /// Such as `/v1/{name=reasoningEngines/*}`.
    pub template: &'static str,
    /// The request field that the body is.
    pub body: Option<&'static str>,
    /// Full name of the request message.
    pub input: &'static str,
    /// Full name of the response message.
    pub output: &'static str,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

    use super::*;

    fn pool() -> DescriptorPool {
        DescriptorPool::decode(DESCRIPTOR_SET).unwrap()
    }

    #[test]
    fn every_rpc_has_a_path() {
        let ruled: BTreeSet<_> = HTTP_RULES.iter().map(|rule| rule.rpc.to_owned()).collect();
        let declared: BTreeSet<_> = pool()
            .services()
            .flat_map(|service| service.methods().map(|rpc| rpc.full_name().to_owned()).collect::<Vec<_>>())
            .collect();
        assert_eq!(ruled, declared);
        assert_eq!(declared.len(), 2 * (7 + 5) + 5 + 1);
    }

    #[test]
    fn both_versions_have_the_same_paths_and_messages() {
        let of = |version: &str| -> BTreeSet<_> {
            let prefix = format!("/{version}/");
            HTTP_RULES
                .iter()
                .filter(|rule| rule.template.starts_with(&prefix))
                .map(|rule| (rule.method, rule.verb, rule.template.replacen(version, "v", 1), rule.body))
                .collect()
        };
        assert_eq!(of("v1"), of("v1beta1"));
        let pool = pool();
        let fields = |message: &MessageDescriptor| -> Vec<_> {
            message.fields().map(|field| (field.number(), field.name().to_owned())).collect()
        };
        let beta = pool.all_messages().filter(|message| message.package_name().ends_with(".v1beta1"));
        for message in beta {
            let twin = message.full_name().replacen(".v1beta1.", ".v1.", 1);
            let twin = pool.get_message_by_name(&twin).unwrap_or_else(|| panic!("{twin} is missing"));
            assert_eq!(fields(&message), fields(&twin), "{}", message.full_name());
        }
    }

    #[test]
    fn a_thin_message_is_the_full_message_on_the_wire() {
        let pool = pool();
        let full =
            |name: &str| pool.get_message_by_name(&format!("google.cloud.aiplatform.v1.{name}")).unwrap();
        let mut event = DynamicMessage::new(full("SessionEvent"));
        event.set_field_by_name("author", prost_reflect::Value::String("user".into()));
        let thin =
            v1beta1::AppendEventRequest { name: "n".into(), event: Some(event.encode_to_vec().into()) };
        let mut request = DynamicMessage::new(full("AppendEventRequest"));
        request.merge(thin.encode_to_vec().as_slice()).unwrap();
        assert_eq!(request.get_field_by_name("event").unwrap().as_message(), Some(&event));
        let empty = v1beta1::AppendEventRequest::decode(&[0x12, 0x00][..]).unwrap();
        assert_eq!(empty.event, Some(bytes::Bytes::new()));
    }
}
