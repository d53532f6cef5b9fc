//! The discovery document, in the format of Google's API discovery service.

use serde_json::{Map, Value, json};

use super::method::Method;
use super::model::{Field, Message, Model, Shape};
use super::{schema_name, set_description};

const API: &str = "aiplatform";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The document of a version, but for the address of the server.
pub(super) fn document(model: &Model, methods: &[Method], version: &str) -> Value {
    let methods = methods.iter().filter(|method| method.prefix() == version).collect::<Vec<_>>();
    let roots = methods.iter().flat_map(|method| method.messages());
    let schemas: Map<_, _> = model
        .reachable(roots)
        .into_iter()
        .map(|(name, message)| (schema_name(name), message_schema(model, name, message)))
        .collect();
    let mut resources = Resource::default();
    for method in methods {
        resources.add(model, method);
    }
    json!({
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": format!("{API}:{version}"),
        "name": API,
        "canonicalName": "Aiplatform",
        "version": version,
        "revision": env!("CARGO_PKG_VERSION"),
        "title": "Colloquy",
        "description": "Sessions of agents, their events, and the engines that they belong to.",
        "protocol": "rest",
        "servicePath": "",
        "basePath": "",
        "auth": {"oauth2": {"scopes": {SCOPE: {"description": "What Google's clients ask a token for."}}}},
        "parameters": standard_parameters(),
        "schemas": schemas,
        "resources": resources.into_json().remove("resources").unwrap_or_default(),
    })
}

/// What every method takes.
fn standard_parameters() -> Value {
    let text = |description: &str| json!({"type": "string", "location": "query", "description": description});
    json!({
        "alt": {
            "type": "string",
            "location": "query",
            "description": "The format of the answer.",
            "default": "json",
            "enum": ["json"],
            "enumDescriptions": ["JSON"],
        },
        "fields": text("The part of the answer that is wanted, such as a,b/c,d(e,f)."),
        "prettyPrint": {
            "type": "boolean",
            "location": "query",
            "description": "Whether the answer is indented.",
            "default": "false",
        },
        "key": text("An API key."),
        "access_token": text("An OAuth token."),
        "oauth_token": text("An OAuth token."),
        "quotaUser": text("Accepted and ignored."),
        "callback": text("Accepted and ignored."),
        "uploadType": text("Accepted and ignored."),
        "upload_protocol": text("Accepted and ignored."),
        "$.xgafv": {
            "type": "string",
            "location": "query",
            "description": "Accepted and ignored: errors have one format.",
            "enum": ["1", "2"],
            "enumDescriptions": ["Version 1", "Version 2"],
        },
    })
}

/// A collection with its methods and the collections in it.
#[derive(Default)]
struct Resource {
    methods: Map<String, Value>,
    resources: std::collections::BTreeMap<&'static str, Resource>,
}

impl Resource {
    fn add(&mut self, model: &Model, method: &Method) {
        let resource =
            method.collections().fold(self, |of, collection| of.resources.entry(collection).or_default());
        resource.methods.insert(method.name().to_owned(), method_json(model, method));
    }

    fn into_json(self) -> Map<String, Value> {
        let mut json = Map::new();
        if !self.methods.is_empty() {
            json.insert("methods".to_owned(), self.methods.into());
        }
        if !self.resources.is_empty() {
            let nested = self.resources.into_iter();
            let nested: Map<_, _> =
                nested.map(|(name, resource)| (name.to_owned(), resource.into_json().into())).collect();
            json.insert("resources".to_owned(), nested.into());
        }
        json
    }
}

fn method_json(model: &Model, method: &Method) -> Value {
    let mut parameters = Map::new();
    let mut order = Vec::new();
    if let Some((name, pattern, comment)) = method.path_parameter(model) {
        let comment = if comment.is_empty() { "The resource's name." } else { comment };
        let parameter = json!({
            "type": "string",
            "location": "path",
            "required": true,
            "pattern": format!("^{pattern}$"),
            "description": comment,
        });
        parameters.insert(name.to_owned(), parameter);
        order.push(name);
    }
    for field in method.query(model) {
        let mut parameter = match &field.shape {
            Shape::List(item) => {
                let mut one = shape_schema(model, item);
                one.insert("repeated".to_owned(), true.into());
                one
            }
            shape => shape_schema(model, shape),
        };
        parameter.insert("location".to_owned(), "query".into());
        set_description(&mut parameter, &field.comment);
        parameters.insert(field.json_name.clone(), parameter.into());
    }
    let collections = method.collections().collect::<Vec<_>>().join(".");
    let mut json = Map::new();
    set_description(&mut json, model.rpc_comment(method.rule.rpc));
    let mut put = |name: &str, value: Value| drop(json.insert(name.to_owned(), value));
    put("id", format!("{API}.{collections}.{}", method.name()).into());
    put("httpMethod", method.rule.verb.to_ascii_uppercase().into());
    put("path", method.variable_path().into());
    put("flatPath", method.path(|collection| format!("{{{collection}Id}}")).into());
    put("parameterOrder", order.into());
    put("parameters", parameters.into());
    if let Some(body) = &method.body {
        put("request", reference(body).into());
    }
    put("response", reference(method.rule.output).into());
    put("scopes", json!([SCOPE]));
    json.into()
}

fn message_schema(model: &Model, full_name: &str, message: &Message) -> Value {
    let property = |field: &Field| {
        let mut schema = shape_schema(model, &field.shape);
        set_description(&mut schema, &field.comment);
        if field.is_output_only() {
            schema.insert("readOnly".to_owned(), true.into());
        }
        (field.json_name.clone(), Value::from(schema))
    };
    let properties: Map<_, _> = message.fields.iter().map(property).collect();
    let mut schema = Map::new();
    schema.insert("id".to_owned(), schema_name(full_name).into());
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    set_description(&mut schema, &message.comment);
    schema.into()
}

fn shape_schema(model: &Model, shape: &Shape) -> Map<String, Value> {
    let schema = match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int32 => json!({"type": "integer", "format": "int32"}),
        Shape::Uint32 => json!({"type": "integer", "format": "uint32"}),
        Shape::Int64 => json!({"type": "string", "format": "int64"}),
        Shape::Uint64 => json!({"type": "string", "format": "uint64"}),
        Shape::Float => json!({"type": "number", "format": "float"}),
        Shape::Double => json!({"type": "number", "format": "double"}),
        Shape::String => json!({"type": "string"}),
        Shape::Bytes => json!({"type": "string", "format": "byte"}),
        Shape::Timestamp => json!({"type": "string", "format": "google-datetime"}),
        Shape::Duration => json!({"type": "string", "format": "google-duration"}),
        Shape::FieldMask => json!({"type": "string", "format": "google-fieldmask"}),
        Shape::Null => json!({"type": "string", "enum": ["NULL_VALUE"]}),
        Shape::Value => json!({"type": "any"}),
        Shape::Struct | Shape::Any => json!({"type": "object", "additionalProperties": {"type": "any"}}),
        Shape::Enum(name) => json!({"type": "string", "enum": model.enum_names(name)}),
        Shape::Message(name) => return reference(name),
        Shape::List(item) => json!({"type": "array", "items": shape_schema(model, item)}),
        Shape::Map(value) => json!({"type": "object", "additionalProperties": shape_schema(model, value)}),
    };
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn reference(full_name: &str) -> Map<String, Value> {
    Map::from_iter([("$ref".to_owned(), schema_name(full_name).into())])
}
