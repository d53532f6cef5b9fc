//! One RPC at one path, as both documents tell of it.

use colloquy_contract::HttpRule;

use super::NotDescribable;
use super::model::{Field, Model};
use crate::rest::router::{Variable, read_template};

/// One binding of an RPC, with its place in the hierarchy of resources.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) rule: &'static HttpRule,
    /// The path without its custom verb; `*` for any.
    segments: Vec<&'static str>,
    variable: Option<Variable>,
    /// Empty for none.
    custom_verb: &'static str,
    /// Full name of the message that the body is.
    pub(super) body: Option<String>,
}

impl Method {
    /// The method that a rule binds.
    pub(super) fn of(rule: &'static HttpRule, model: &Model) -> Result<Self, NotDescribable> {
        let bad = |what: &str| NotDescribable(format!("{what} of {}", rule.template));
        let (segments, mut variables, custom_verb) =
            read_template(rule.template).ok_or_else(|| bad("the pattern"))?;
        let variable = variables.pop();
        if !variables.is_empty() {
            return Err(bad("more than one variable"));
        }
        let input = model.message(rule.input).ok_or_else(|| bad("the request"))?;
        model.message(rule.output).ok_or_else(|| bad("the response"))?;
        let body = match rule.body {
            Some("*") => Some(rule.input.to_owned()),
            Some(name) => {
                let field = input.fields.iter().find(|field| field.name == name);
                let message = field.and_then(|field| field.shape.message());
                Some(message.ok_or_else(|| bad("the body"))?)
            }
            None => None,
        };
        Ok(Self { rule, segments, variable, custom_verb, body })
    }

    /// The first segment: `v1`, `v1beta1`, `ui`.
    pub(super) fn prefix(&self) -> &'static str {
        self.segments.first().copied().unwrap_or_default()
    }

    /// The collections that lead to the resource: `projects`, `locations`, `reasoningEngines`.
    pub(super) fn collections(&self) -> impl Iterator<Item = &'static str> {
        self.segments.iter().copied().skip(1).filter(|segment| *segment != "*")
    }

    /// The service that the RPC is of.
    pub(super) fn service(&self) -> &'static str {
        self.rule.rpc.rsplit('.').nth(1).unwrap_or_default()
    }

    /// Full names of the messages that it takes as a body and answers with.
    pub(super) fn messages(&self) -> impl Iterator<Item = String> {
        self.body.iter().cloned().chain([self.rule.output.to_owned()])
    }

    /// What is done to the resource (AIP-130): `create`, `get`, `list`, `patch`, `delete`, or the custom verb.
    pub(super) fn name(&self) -> &'static str {
        let of_one = self.segments.last() == Some(&"*");
        match (self.custom_verb, self.rule.verb) {
            ("", "get") => {
                if of_one {
                    "get"
                } else {
                    "list"
                }
            }
            ("", "post") => "create",
            ("", verb) => verb,
            (custom, _) => custom,
        }
    }

    /// The path, with every `*` written as `wildcard` says for the collection before it.
    pub(super) fn path(&self, wildcard: impl Fn(&str) -> String) -> String {
        self.with_verb(&filled(&self.segments, wildcard))
    }

    /// The path with its variable written as `{+name}` (RFC 6570).
    pub(super) fn variable_path(&self) -> String {
        let Some(variable) = &self.variable else { return self.path(|_| String::new()) };
        let (before, rest) = self.segments.split_at_checked(variable.first).unwrap_or_default();
        let after = rest.get(variable.len..).unwrap_or_default();
        let name = format!("{{+{}}}", last_part(variable.field));
        let segments: Vec<&str> =
            before.iter().copied().chain([name.as_str()]).chain(after.iter().copied()).collect();
        self.with_verb(&segments.join("/"))
    }

    fn with_verb(&self, path: &str) -> String {
        if self.custom_verb.is_empty() { path.to_owned() } else { format!("{path}:{}", self.custom_verb) }
    }

    /// The path's variable: its parameter's name, what it matches, and what the request says of it.
    pub(super) fn path_parameter<'m>(&self, model: &'m Model) -> Option<(&'static str, String, &'m str)> {
        let variable = self.variable.as_ref()?;
        let segments = self.segments.get(variable.first..variable.first + variable.len)?;
        let comment = self.request_field(model, variable.field).map_or("", |field| field.comment.as_str());
        Some((last_part(variable.field), filled(segments, |_| "[^/]+".to_owned()), comment))
    }

    /// The collections whose ids the path holds.
    pub(super) fn path_ids(&self) -> impl Iterator<Item = &'static str> {
        let pairs = self.segments.iter().zip(self.segments.iter().skip(1));
        pairs.filter(|(_, id)| **id == "*").map(|(collection, _)| *collection)
    }

    /// The fields of the request that come as query parameters: all that are neither in the path nor in the body.
    pub(super) fn query<'m>(&'m self, model: &'m Model) -> impl Iterator<Item = &'m Field> {
        let elsewhere = |field: &Field| {
            let in_path = self
                .variable
                .as_ref()
                .is_some_and(|variable| variable.field.split('.').next() == Some(field.name.as_str()));
            in_path || self.rule.body == Some("*") || self.rule.body == Some(field.name.as_str())
        };
        let fields = model.message(self.rule.input).into_iter().flat_map(|input| &input.fields);
        fields.filter(move |field| field.shape.is_textual() && !elsewhere(field))
    }

    fn request_field<'m>(&self, model: &'m Model, name: &str) -> Option<&'m Field> {
        model.message(self.rule.input)?.fields.iter().find(|field| field.name == name)
    }
}

fn last_part(field: &str) -> &str {
    field.rsplit('.').next().unwrap_or(field)
}

/// Segments between slashes, with every `*` written as `wildcard` says for the segment before it.
fn filled(segments: &[&str], wildcard: impl Fn(&str) -> String) -> String {
    let mut path = String::new();
    let mut before = "";
    for segment in segments {
        if !path.is_empty() {
            path.push('/');
        }
        match *segment {
            "*" => path.push_str(&wildcard(before)),
            literal => path.push_str(literal),
        }
        before = segment;
    }
    path
}
