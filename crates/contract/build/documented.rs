//! Descriptors with comments: what the documents for machines are made from.

use prost_types::FileDescriptorSet;

/// What describes protobuf itself or the HTTP rules, and no message of the API.
const TOOLS: [&str; 3] =
    ["google/protobuf/descriptor.proto", "google/api/annotations.proto", "google/api/http.proto"];

/// Keeps the comments of our own files, and nothing else of what is known about their sources.
pub fn documented(mut set: FileDescriptorSet) -> FileDescriptorSet {
    set.file.retain(|file| !TOOLS.contains(&file.name()));
    for file in &mut set.file {
        if file.package() == "google.protobuf" {
            file.source_code_info = None;
        }
        let Some(info) = &mut file.source_code_info else { continue };
        info.location.retain(|location| location.leading_comments.is_some());
        for location in &mut info.location {
            location.span.clear();
            location.trailing_comments = None;
            location.leading_detached_comments.clear();
        }
    }
    set
}
