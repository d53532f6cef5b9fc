//! REST: a path to an RPC, JSON to wire bytes and back (AIP-127).

mod body;
mod fields;
pub(crate) mod query;
mod request;
pub(crate) mod router;
mod segments;

use std::sync::Arc;

use bytes::Bytes;
use colloquy_contract::{HTTP_RULES, HttpRule};
use colloquy_sessions::Error;
use colloquy_sessions::operation::ApiVersion;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use hyper::body::Body;
use proto_json::{MessageId, PrintOptions, Schema};

use crate::app::HttpLimits;
use crate::convert::version;
use crate::rpc::{self, Api, RequestIds, Rpc};
use crate::status;
use fields::Selection;
use query::Query;
use router::{BadTemplate, Found, Route, Router};

/// The REST side of the API.
pub(crate) struct Rest {
    api: Arc<Api>,
    schema: Arc<Schema>,
    router: Router<Call>,
    limits: HttpLimits,
}

/// What a rule calls, looked up once.
#[derive(Clone, Copy, Debug)]
struct Call {
    rpc: Rpc,
    version: Option<ApiVersion>,
    input: MessageId,
    output: MessageId,
}

/// What a request is answered with, and what the log says of it.
pub(crate) struct Answer {
    pub(crate) response: Response<Bytes>,
    /// The RPC, where the path means one.
    pub(crate) rpc: Option<&'static str>,
}

/// Why a request is not answered with a message.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The API's own error.
    Api(Error),
    /// There is no such path.
    NoRoute,
    /// The path has other methods: these.
    OtherMethods(Vec<Method>),
    /// The body is larger than so many bytes.
    BodyTooLarge(usize),
    /// The body did not come in time.
    BodyTooSlow,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

impl Rest {
    /// Routes every rule of the contract; fails where one cannot be served.
    pub(crate) fn new(api: Arc<Api>, schema: Arc<Schema>, limits: HttpLimits) -> Result<Self, BadTemplate> {
        let call = |rule: &HttpRule| {
            Some(Call {
                rpc: Rpc::named(rule.method)?,
                version: version::of_rule(rule),
                input: schema.message(rule.input)?,
                output: schema.message(rule.output)?,
            })
        };
        let router = Router::new(HTTP_RULES, call)?;
        Ok(Self { api, schema, router, limits })
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub(crate) async fn answer<B>(&self, parts: &Parts, body: B, request_id: &str) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let path = parts.uri.path();
        let (rpc, result) = match self.router.find(&parts.method, path) {
            Found::Nothing => (None, Err(Refusal::NoRoute)),
            Found::OtherMethods(methods) => (None, Err(Refusal::OtherMethods(methods))),
            Found::Route(route, variables) => {
                (Some(route.rule.rpc), self.call(route, &variables, parts, body).await)
            }
        };
        let response = match result {
            Ok(json) => json_response(StatusCode::OK, json),
            Err(refusal) => refuse(&refusal, path, request_id),
        };
        Answer { response, rpc }
    }

    async fn call<B>(
        &self,
        route: &Route<Call>,
        variables: &[(&'static str, String)],
        parts: &Parts,
        body: B,
    ) -> Result<Vec<u8>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let mut query = Query::parse(parts.uri.query().unwrap_or_default())?;
        let mut ids = RequestIds::default();
        if route.target.rpc.takes_request_id() {
            ids.add_headers(&parts.headers)?;
            ids.take_parameters(&mut query.parameters)?;
        }
        let selection = query.fields.as_deref().map(Selection::parse).transpose()?;
        let json = body::read(&parts.headers, body, self.limits.body_bytes).await?;
        let request = self.request_message(route, variables, &query, &json)?;
        let Call { rpc, version, input, output } = route.target;
        let request = rpc::Request { message: request.into(), input, id: ids.one() };
        let wire = self.api.call(rpc, version, request).await?;

        let mut answer = Vec::with_capacity(wire.len() * 2);
        let options = PrintOptions { enums_as_numbers: query.enums_as_numbers };
        proto_json::wire_to_json(&self.schema, output, &wire, options, &mut answer)
            .map_err(Error::internal)?;
        if selection.is_some() || query.pretty {
            answer = reshape(&answer, selection.as_ref(), query.pretty).map_err(Error::internal)?;
        }
        Ok(answer)
    }
}

/// Selects and indents: seldom asked for, so a second reading is fine.
fn reshape(json: &[u8], selection: Option<&Selection>, pretty: bool) -> serde_json::Result<Vec<u8>> {
    let mut value: serde_json::Value = serde_json::from_slice(json)?;
    if let Some(selection) = selection {
        value = selection.apply(value);
    }
    if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }
}

/// The answer to a request that was refused.
pub(crate) fn refuse(refusal: &Refusal, path: &str, request_id: &str) -> Response<Bytes> {
    let of_http = |code: StatusCode, name: &str, message: &str| {
        json_response(code, status::json_body_of_http(code, name, message))
    };
    match refusal {
        Refusal::Api(error) => {
            status::log_cause(error, request_id);
            json_response(status::http(error.code()), status::json_body(error))
        }
        Refusal::NoRoute => {
            let path: String = path.chars().take(200).collect();
            let message = format!("The requested URL {path} was not found on this server.");
            of_http(StatusCode::NOT_FOUND, "NOT_FOUND", &message)
        }
        Refusal::OtherMethods(methods) => {
            let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("The method is not allowed for this URL; allowed are {allowed}.");
            let mut response = of_http(StatusCode::METHOD_NOT_ALLOWED, "UNIMPLEMENTED", &message);
            if let Ok(allowed) = HeaderValue::from_str(&allowed) {
                response.headers_mut().insert(header::ALLOW, allowed);
            }
            response
        }
        Refusal::BodyTooLarge(limit) => {
            let message = format!("Request payload size exceeds the limit: {limit} bytes.");
            of_http(StatusCode::PAYLOAD_TOO_LARGE, "INVALID_ARGUMENT", &message)
        }
        Refusal::BodyTooSlow => of_http(
            StatusCode::REQUEST_TIMEOUT,
            "DEADLINE_EXCEEDED",
            "The request body did not come in time.",
        ),
    }
}

/// An answer with the headers of the live service (contract section 3.1).
pub(crate) fn json_response(code: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    const HEADERS: [(header::HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, "application/json; charset=UTF-8"),
        (header::VARY, "Origin, X-Origin, Referer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::X_XSS_PROTECTION, "0"),
    ];
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = code;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
