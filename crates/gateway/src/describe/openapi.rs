//! The OpenAPI document.

use serde_json::{Map, Value, json};

use super::method::Method;
use super::model::{Field, Message, Model, Shape};
use super::{schema_name, set_description};

/// What every operation takes, by the name of the component and that of the parameter.
const SYSTEM_PARAMETERS: [(&str, &str); 3] =
    [("Alt", "$alt"), ("Fields", "fields"), ("PrettyPrint", "prettyPrint")];

/// The document, but for the address of the server.
pub(super) fn document(model: &Model, methods: &[Method]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for method in methods {
        let path = format!("/{}", method.path(|collection| format!("{{{}}}", singular(collection))));
        let item = paths.entry(path).or_insert_with(|| json!({"parameters": shared_parameters(method)}));
        if let Value::Object(item) = item {
            item.insert(method.rule.verb.to_owned(), operation(model, method));
        }
    }
    let roots = methods.iter().flat_map(|method| method.messages());
    let mut schemas: Map<_, _> = model
        .reachable(roots)
        .into_iter()
        .map(|(name, message)| (schema_name(name), message_schema(model, message)))
        .collect();
    schemas.insert("Error".to_owned(), error_schema(model));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Colloquy",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sessions of agents, their events, and the engines that they belong to, \
                            over the protocol of Vertex AI Agent Engine Sessions.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": system_parameters(),
            "responses": {
                "Error": {
                    "description": "What went wrong.",
                    "content": json_content(reference("Error")),
                },
            },
        },
    })
}

/// The parameters that all operations of a path have: its ids, and those of the system.
fn shared_parameters(method: &Method) -> Vec<Value> {
    let last = method.path_ids().count().saturating_sub(1);
    let id = |(place, collection)| {
        // What stands last may be followed by a custom verb.
        let pattern = if place == last { "^[^/:]+$" } else { "^[^/]+$" };
        json!({
            "name": singular(collection),
            "in": "path",
            "required": true,
            "schema": {"type": "string", "pattern": pattern},
        })
    };
    let system = SYSTEM_PARAMETERS
        .iter()
        .map(|(component, _)| json!({"$ref": format!("#/components/parameters/{component}")}));
    method.path_ids().enumerate().map(id).chain(system).collect()
}

fn system_parameters() -> Map<String, Value> {
    let parameter = |(component, name): (&str, &str)| {
        let (description, schema) = match name {
            "$alt" => (
                "The format of the answer: enums by name, or as numbers.",
                json!({"type": "string", "enum": ["json", "json;enum-encoding=int"]}),
            ),
            "fields" => (
                "The part of the answer that is wanted, such as a,b/c,d(e,f).",
                json!({"type": "string", "minLength": 1}),
            ),
            _ => ("Whether the answer is indented.", json!({"type": "boolean"})),
        };
        let parameter = json!({"name": name, "in": "query", "description": description, "schema": schema});
        (component.to_owned(), parameter)
    };
    SYSTEM_PARAMETERS.into_iter().map(parameter).collect()
}

fn operation(model: &Model, method: &Method) -> Value {
    let parameter = |field: &Field| {
        let mut parameter = Map::new();
        parameter.insert("name".to_owned(), field.json_name.clone().into());
        parameter.insert("in".to_owned(), "query".into());
        parameter.insert("schema".to_owned(), shape_schema(model, &field.shape));
        set_description(&mut parameter, &field.comment);
        Value::from(parameter)
    };
    let collections = method.collections().collect::<Vec<_>>().join(".");
    let mut operation = Map::new();
    set_description(&mut operation, model.rpc_comment(method.rule.rpc));
    let mut put = |name: &str, value: Value| drop(operation.insert(name.to_owned(), value));
    put("operationId", format!("{}.{collections}.{}", method.prefix(), method.name()).into());
    put("tags", json!([method.service()]));
    put("parameters", method.query(model).map(parameter).collect::<Vec<_>>().into());
    if let Some(body) = &method.body {
        let content = json_content(body_schema(model, method, body));
        put("requestBody", json!({"required": true, "content": content}));
    }
    let answer = json_content(reference(method.rule.output));
    put(
        "responses",
        json!({
            "200": {"description": "The answer.", "content": answer},
            "default": {"$ref": "#/components/responses/Error"},
        }),
    );
    operation.into()
}

/// The message that a body is; what is made must have all that is required, what is changed need not.
fn body_schema(model: &Model, method: &Method, full_name: &str) -> Value {
    if method.rule.verb == "post" { whole_schema(model, full_name) } else { reference(full_name) }
}

/// A message with all that is required of it.
fn whole_schema(model: &Model, full_name: &str) -> Value {
    let mut schema = Map::new();
    schema.insert("$ref".to_owned(), reference_to(full_name).into());
    let fields = model.message(full_name).into_iter().flat_map(|message| &message.fields);
    let required: Vec<_> = fields.filter(|field| field.is_required()).collect();
    if !required.is_empty() {
        let names: Vec<_> = required.iter().map(|field| field.json_name.as_str()).collect();
        schema.insert("required".to_owned(), names.into());
        let filled = required.iter().filter_map(|field| {
            let filled = match &field.shape {
                // An empty text is as good as none, and so is an empty list.
                Shape::String => json!({"minLength": 1}),
                Shape::List(item) => match &**item {
                    Shape::Message(name) => json!({"minItems": 1, "items": whole_schema(model, name)}),
                    _ => json!({"minItems": 1}),
                },
                _ => return None,
            };
            Some((field.json_name.clone(), filled))
        });
        schema.insert("properties".to_owned(), filled.collect::<Map<_, _>>().into());
    }
    schema.into()
}

fn message_schema(model: &Model, message: &Message) -> Value {
    let property = |field: &Field| {
        let mut schema = shape_schema(model, &field.shape);
        if let Value::Object(schema) = &mut schema {
            set_description(schema, &field.comment);
            if field.is_output_only() {
                schema.insert("readOnly".to_owned(), true.into());
            }
        }
        (field.json_name.clone(), schema)
    };
    let properties: Map<_, _> = message.fields.iter().map(property).collect();
    let mut comment = message.comment.clone();
    for members in &message.oneofs {
        let space = if comment.is_empty() { "" } else { " " };
        comment = format!("{comment}{space}At most one of {} may be set.", members.join(", "));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    // Unknown names are refused.
    schema.insert("additionalProperties".to_owned(), false.into());
    set_description(&mut schema, &comment);
    schema.into()
}

fn shape_schema(model: &Model, shape: &Shape) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int32 => json!({"type": "integer", "format": "int32"}),
        Shape::Uint32 => json!({"type": "integer", "format": "uint32", "minimum": 0}),
        Shape::Int64 => json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}),
        Shape::Uint64 => json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}),
        Shape::Float => json!({"type": "number", "format": "float"}),
        Shape::Double => json!({"type": "number", "format": "double"}),
        Shape::String | Shape::FieldMask => json!({"type": "string"}),
        Shape::Bytes => json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
        Shape::Timestamp => json!({"type": "string", "format": "date-time"}),
        Shape::Duration => json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"}),
        Shape::Null => json!({"type": "null"}),
        Shape::Value => json!({}),
        Shape::Struct => json!({"type": "object"}),
        Shape::Any => json!({"type": "object", "properties": {"@type": {"type": "string"}}}),
        // By name or by number, in requests and, as `$alt` says, in answers.
        Shape::Enum(name) => {
            json!({"anyOf": [{"type": "string", "enum": model.enum_names(name)}, {"type": "integer", "format": "int32"}]})
        }
        Shape::Message(name) => reference(name),
        Shape::List(item) => json!({"type": "array", "items": shape_schema(model, item)}),
        Shape::Map(value) => json!({"type": "object", "additionalProperties": shape_schema(model, value)}),
    }
}

/// `google.rpc.Status` as HTTP has it (AIP-193).
fn error_schema(model: &Model) -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "status"],
                "properties": {
                    "code": {"type": "integer", "description": "The HTTP status."},
                    "message": {"type": "string", "description": "What went wrong, for people."},
                    "status": {"type": "string", "description": "The name of the google.rpc.Code."},
                    "details": {
                        "type": "array",
                        "items": shape_schema(model, &Shape::Any),
                        "description": "What went wrong, for programs.",
                    },
                },
            },
        },
    })
}

fn json_content(schema: Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn reference(full_name: &str) -> Value {
    json!({"$ref": reference_to(full_name)})
}

fn reference_to(full_name: &str) -> String {
    format!("#/components/schemas/{}", schema_name(full_name))
}

/// `sessions` to `session`: what one of a collection is called.
fn singular(collection: &str) -> &str {
    collection.strip_suffix('s').unwrap_or(collection)
}
