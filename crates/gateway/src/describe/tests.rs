//! What both documents must say, held against the contract.

use std::collections::BTreeSet;

use colloquy_contract::{DOCUMENTED_DESCRIPTOR_SET, HTTP_RULES};

use super::*;

const ROOT: &str = "http://127.0.0.1:8080/";

fn description() -> Description {
    Description::new(DOCUMENTED_DESCRIPTOR_SET, HTTP_RULES).unwrap()
}

fn discovery(version: &str) -> Value {
    serde_json::from_slice(&description().discovery(version, ROOT).unwrap()).unwrap()
}

fn openapi() -> Value {
    serde_json::from_slice(&description().openapi(ROOT)).unwrap()
}

/// Every value of every member of this name, at any depth.
fn all<'v>(value: &'v Value, member: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| all(item, member, found)),
        Value::Object(members) => {
            found.extend(members.get(member));
            members.values().for_each(|value| all(value, member, found));
        }
        _ => {}
    }
}

#[test]
fn the_address_is_that_of_the_caller() {
    let description = description();
    for root in [ROOT, "https://sessions.example/", "http://\"\\/"] {
        let discovery: Value = serde_json::from_slice(&description.discovery("v1", root).unwrap()).unwrap();
        assert_eq!(discovery["rootUrl"], root);
        assert_eq!(discovery["baseUrl"], root);
        assert_eq!(discovery["kind"], "discovery#restDescription");
        let openapi: Value = serde_json::from_slice(&description.openapi(root)).unwrap();
        assert_eq!(openapi["servers"], json!([{"url": root.trim_end_matches('/')}]));
        assert_eq!(openapi["openapi"], "3.1.0");
    }
    assert_eq!(description.discovery("v2", ROOT), None);
    assert_eq!(description.discovery("ui", ROOT), None);
}

#[test]
fn every_rule_is_an_operation_of_its_own() {
    let openapi = openapi();
    let mut ids = Vec::new();
    all(&openapi["paths"], "operationId", &mut ids);
    assert_eq!(ids.len(), HTTP_RULES.len());
    assert_eq!(ids.iter().map(|id| id.as_str().unwrap()).collect::<BTreeSet<_>>().len(), HTTP_RULES.len());
}

#[test]
fn every_rule_of_a_version_is_a_method_of_its_document() {
    for version in VERSIONS {
        let document = discovery(version);
        let mut methods = Vec::new();
        all(&document["resources"], "flatPath", &mut methods);
        let prefix = format!("/{version}/");
        let rules = HTTP_RULES.iter().filter(|rule| rule.template.starts_with(&prefix)).count();
        assert_eq!(methods.len(), rules);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for version in VERSIONS {
        let document = discovery(version);
        let mut references = Vec::new();
        all(&document, "$ref", &mut references);
        for reference in references {
            let name = reference.as_str().unwrap();
            assert_eq!(document["schemas"][name]["id"], name);
        }
    }
    let document = openapi();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn a_method_as_googles_clients_read_it() {
    let document = discovery("v1beta1");
    let sessions = &document["resources"]["projects"]["resources"]["locations"]["resources"]["reasoningEngines"]
        ["resources"]["sessions"];
    assert_eq!(
        sessions["methods"]["create"],
        json!({
            "id": "aiplatform.projects.locations.reasoningEngines.sessions.create",
            "description": "Creates a session. The operation is done at once.",
            "httpMethod": "POST",
            "path": "v1beta1/{+parent}/sessions",
            "flatPath": "v1beta1/projects/{projectsId}/locations/{locationsId}/reasoningEngines/{reasoningEnginesId}/sessions",
            "parameterOrder": ["parent"],
            "parameters": {
                "parent": {
                    "type": "string",
                    "location": "path",
                    "required": true,
                    "pattern": "^projects/[^/]+/locations/[^/]+/reasoningEngines/[^/]+$",
                    "description": "The engine.",
                },
                "sessionId": {
                    "type": "string",
                    "location": "query",
                    "description": "An id of the caller's choice; at most 63 of lower-case letters, digits and hyphens.",
                },
            },
            "request": {"$ref": "GoogleCloudAiplatformV1beta1Session"},
            "response": {"$ref": "GoogleLongrunningOperation"},
            "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        })
    );
    let patch = &sessions["methods"]["patch"];
    assert_eq!(patch["path"], "v1beta1/{+name}");
    assert_eq!(patch["parameters"]["updateMask"]["format"], "google-fieldmask");
    let wait = &sessions["resources"]["operations"]["methods"]["wait"];
    assert_eq!(wait["path"], "v1beta1/{+name}:wait");
    assert_eq!(wait["parameters"]["timeout"]["format"], "google-duration");
    assert_eq!(wait.get("request"), None);
    // Without a location in the path, it is a parameter.
    let express = &document["resources"]["reasoningEngines"]["methods"]["list"];
    assert_eq!(express["parameterOrder"], json!([]));
    assert_eq!(express["parameters"]["parent"]["location"], "query");
}

#[test]
fn an_operation_as_openapi_has_it() {
    let document = openapi();
    let item = &document["paths"]["/v1/reasoningEngines/{reasoningEngine}/sessions/{session}:appendEvent"];
    let names: Vec<_> = item["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names[..2], ["reasoningEngine", "session"]);
    let operation = &item["post"];
    assert_eq!(operation["operationId"], "v1.reasoningEngines.sessions.appendEvent");
    assert_eq!(operation["tags"], json!(["SessionService"]));
    assert_eq!(
        operation["requestBody"]["content"]["application/json"]["schema"],
        json!({
            "$ref": "#/components/schemas/GoogleCloudAiplatformV1SessionEvent",
            "required": ["author", "invocationId", "timestamp"],
            "properties": {"author": {"minLength": 1}, "invocationId": {"minLength": 1}},
        })
    );
    assert_eq!(
        operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/GoogleCloudAiplatformV1AppendEventResponse"
    );
    let change = &document["paths"]["/v1/reasoningEngines/{reasoningEngine}/sessions/{session}"]["patch"];
    assert_eq!(
        change["requestBody"]["content"]["application/json"]["schema"],
        json!({"$ref": "#/components/schemas/GoogleCloudAiplatformV1Session"})
    );
}

#[test]
fn every_kind_of_field_has_its_schema() {
    let (discovery, openapi) = (discovery("v1"), openapi());
    let pair = |message: &str, field: &str| {
        let name = format!("GoogleCloudAiplatformV1{message}");
        let of = |schemas: &Value| {
            let mut schema = schemas[&name]["properties"][field].clone();
            schema.as_object_mut().unwrap().remove("description");
            schema
        };
        (of(&discovery["schemas"]), of(&openapi["components"]["schemas"]))
    };
    let check = |message, field, in_discovery, in_openapi| {
        assert_eq!(pair(message, field), (in_discovery, in_openapi), "{message}.{field}");
    };
    let text = || json!({"type": "string"});
    check("Session", "userId", text(), text());
    check(
        "Session",
        "createTime",
        json!({"type": "string", "format": "google-datetime", "readOnly": true}),
        json!({"type": "string", "format": "date-time", "readOnly": true}),
    );
    check(
        "Session",
        "ttl",
        json!({"type": "string", "format": "google-duration"}),
        json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"}),
    );
    check(
        "Session",
        "labels",
        json!({"type": "object", "additionalProperties": text()}),
        json!({"type": "object", "additionalProperties": text()}),
    );
    check(
        "Session",
        "sessionState",
        json!({"type": "object", "additionalProperties": {"type": "any"}}),
        json!({"type": "object"}),
    );
    check("StructuredMemoryConfigSchemaConfig", "jsonSchema", json!({"type": "any"}), json!({}));
    check(
        "Schema",
        "maxItems",
        json!({"type": "string", "format": "int64"}),
        json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}),
    );
    check(
        "Blob",
        "data",
        json!({"type": "string", "format": "byte"}),
        json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
    );
    check(
        "ExecutableCode",
        "language",
        json!({"type": "string", "enum": ["LANGUAGE_UNSPECIFIED", "PYTHON"]}),
        json!({"anyOf": [
            {"type": "string", "enum": ["LANGUAGE_UNSPECIFIED", "PYTHON"]},
            {"type": "integer", "format": "int32"},
        ]}),
    );
    check(
        "PartialArg",
        "nullValue",
        json!({"type": "string", "enum": ["NULL_VALUE"]}),
        json!({"type": "null"}),
    );
    check(
        "Content",
        "parts",
        json!({"type": "array", "items": {"$ref": "GoogleCloudAiplatformV1Part"}}),
        json!({"type": "array", "items": {"$ref": "#/components/schemas/GoogleCloudAiplatformV1Part"}}),
    );
    let operation = &openapi["components"]["schemas"]["GoogleLongrunningOperation"];
    assert_eq!(operation["properties"]["response"]["properties"]["@type"], text());
    assert!(operation["description"].as_str().unwrap().contains("At most one of error, response"));
}

#[test]
fn descriptions_are_for_readers_of_the_api() {
    for document in [discovery("v1"), discovery("v1beta1"), openapi()] {
        let mut descriptions = Vec::new();
        all(&document, "description", &mut descriptions);
        // A schema may have a property of this name, which is an object.
        for text in descriptions.into_iter().filter_map(Value::as_str) {
            assert!(!text.is_empty() && !text.contains("ours") && !text.contains('\n'), "{text}");
            assert!(!text.contains("as published"), "{text}");
        }
    }
}

#[test]
fn what_cannot_be_described_is_refused() {
    assert!(Description::new(b"no descriptors", HTTP_RULES).is_err());
    // Rules without the messages that they speak of.
    assert!(Description::new(b"", HTTP_RULES).is_err());
}
