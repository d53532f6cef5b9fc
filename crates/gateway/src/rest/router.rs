//! Which RPC a path and verb mean: one tree of segments, built from the contract's HTTP rules.

use std::collections::HashMap;

use colloquy_contract::HttpRule;
use http::Method;

use super::segments::{decode, split_verb};

/// One binding of an RPC to a verb and a path template.
#[derive(Debug)]
pub(crate) struct Route<T> {
    /// The rule of the contract.
    pub(crate) rule: &'static HttpRule,
    /// What the caller made of the rule.
    pub(crate) target: T,
    method: Method,
    /// The template's variables: the request field, and the segments that it spans.
    variables: Vec<Variable>,
}

/// A part of a template that becomes a field of the request.
#[derive(Debug, PartialEq)]
pub(crate) struct Variable {
    /// The field, such as `session.name`.
    pub(crate) field: &'static str,
    /// The first segment that it spans.
    pub(crate) first: usize,
    /// How many segments it spans.
    pub(crate) len: usize,
}

/// What a request path means.
pub(crate) enum Found<'r, T> {
    /// A route, and the values of its variables by request field.
    Route(&'r Route<T>, Vec<(&'static str, String)>),
    /// The path exists for other verbs only: these.
    OtherMethods(Vec<Method>),
    /// No such path.
    Nothing,
}

/// All routes.
#[derive(Debug)]
pub(crate) struct Router<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<&'static str, Node<T>>,
    any: Option<Box<Node<T>>>,
    /// The routes that end here, by custom verb (empty for none).
    ends: HashMap<&'static str, Vec<Route<T>>>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), any: None, ends: HashMap::new() }
    }
}

/// A rule that cannot be served: a defect of the contract, found when the server starts.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP rule of {rpc} is not understood: {template}")]
pub(crate) struct BadTemplate {
    rpc: &'static str,
    template: &'static str,
}

impl<T> Router<T> {
    /// The tree of `rules`, each with what `target` makes of it.
    pub(crate) fn new(
        rules: &'static [HttpRule],
        target: impl Fn(&'static HttpRule) -> Option<T>,
    ) -> Result<Self, BadTemplate> {
        let mut router = Self { root: Node::default() };
        for rule in rules {
            let added = target(rule).and_then(|target| router.add(rule, target));
            added.ok_or(BadTemplate { rpc: rule.rpc, template: rule.template })?;
        }
        Ok(router)
    }

    fn add(&mut self, rule: &'static HttpRule, target: T) -> Option<()> {
        let (segments, variables, verb) = read_template(rule.template)?;
        let method = Method::from_bytes(rule.verb.to_ascii_uppercase().as_bytes()).ok()?;
        let mut node = &mut self.root;
        for segment in segments {
            node = match segment {
                "*" => node.any.get_or_insert_default(),
                literal => node.literals.entry(literal).or_default(),
            };
        }
        node.ends.entry(verb).or_default().push(Route { rule, target, method, variables });
        Some(())
    }

    /// Finds the route of `method` and `path` (as it stands in the request line, without the query).
    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_, T> {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let Some(mut segments) = path.split('/').map(decode).collect::<Option<Vec<_>>>() else {
            return Found::Nothing;
        };
        let (last, verb) = split_verb(segments.pop().unwrap_or_default());
        segments.push(last);
        let mut node = &self.root;
        for segment in &segments {
            let next = node.literals.get(segment.as_ref()).or_else(|| {
                let filled = !segment.is_empty();
                node.any.as_deref().filter(|_| filled)
            });
            match next {
                Some(next) => node = next,
                None => return Found::Nothing,
            }
        }
        let Some(routes) = node.ends.get(verb.as_str()) else { return Found::Nothing };
        match routes.iter().find(|route| route.method == method) {
            Some(route) => Found::Route(route, route.bind(&segments)),
            None => Found::OtherMethods(routes.iter().map(|route| route.method.clone()).collect()),
        }
    }

    /// Every route.
    #[cfg(test)]
    fn routes(&self) -> Vec<&Route<T>> {
        fn walk<'r, T>(node: &'r Node<T>, found: &mut Vec<&'r Route<T>>) {
            found.extend(node.ends.values().flatten());
            for next in node.literals.values().chain(node.any.as_deref()) {
                walk(next, found);
            }
        }
        let mut found = Vec::new();
        walk(&self.root, &mut found);
        found
    }
}

impl<T> Route<T> {
    fn bind(&self, segments: &[std::borrow::Cow<'_, str>]) -> Vec<(&'static str, String)> {
        let value = |variable: &Variable| {
            let mut value = String::new();
            for (index, segment) in segments.iter().skip(variable.first).take(variable.len).enumerate() {
                if index > 0 {
                    value.push('/');
                }
                value.push_str(segment);
            }
            value
        };
        self.variables.iter().map(|variable| (variable.field, value(variable))).collect()
    }
}

/// Segments (`*` for any), variables, and the custom verb (empty for none).
pub(crate) type Template = (Vec<&'static str>, Vec<Variable>, &'static str);

/// Reads `/v1/{name=projects/*/locations/*}/operations:verb` into segments, variables and verb.
pub(crate) fn read_template(template: &'static str) -> Option<Template> {
    let mut rest = template.strip_prefix('/')?;
    let mut verb = "";
    // A verb stands after the last slash and outside of braces.
    if let Some((before, after)) = rest.rsplit_once(':')
        && !after.contains(['/', '}'])
    {
        (rest, verb) = (before, after);
    }
    let mut segments = Vec::new();
    let mut variables = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('{') {
            let (variable, after) = inner.split_once('}')?;
            let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
            let first = segments.len();
            segments.extend(pattern.split('/'));
            variables.push(Variable { field, first, len: segments.len() - first });
            rest = after;
        } else {
            let end = rest.find('/').unwrap_or(rest.len());
            let (segment, after) = rest.split_at(end);
            segments.push(segment);
            rest = after;
        }
        rest = rest.strip_prefix('/').unwrap_or(rest);
    }
    let readable = segments.iter().all(|segment| !segment.is_empty() && !segment.contains("**"));
    readable.then_some((segments, variables, verb))
}

#[cfg(test)]
mod tests {
    use colloquy_contract::HTTP_RULES;

    use super::*;

    fn router() -> Router<()> {
        Router::new(HTTP_RULES, |_| Some(())).unwrap()
    }

    fn bound(method: Method, path: &str) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        match router().find(&method, path) {
            Found::Route(route, values) => Some((route.rule.rpc, values)),
            Found::OtherMethods(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn templates_are_read() {
        let (segments, variables, verb) = read_template("/v1/{s.name=a/*/b/*}/c:go").unwrap();
        assert_eq!(segments, ["v1", "a", "*", "b", "*", "c"]);
        assert_eq!(variables, [Variable { field: "s.name", first: 1, len: 4 }]);
        assert_eq!(verb, "go");
        assert!(read_template("/v1/{name=**}").is_none());
        assert!(read_template("/v1/{name").is_none());
        assert!(read_template("v1").is_none());
    }

    #[test]
    fn every_rule_of_the_contract_is_reached_by_its_own_path() {
        let router = router();
        let mut reached = 0;
        for route in router.routes() {
            let (segments, _, verb) = read_template(route.rule.template).unwrap();
            let mut path: String =
                segments.iter().map(|segment| format!("/{}", segment.replace('*', "x"))).collect();
            if !verb.is_empty() {
                path.push(':');
                path.push_str(verb);
            }
            match router.find(&route.method, &path) {
                Found::Route(found, _) => assert_eq!(found.rule.rpc, route.rule.rpc, "{path}"),
                Found::OtherMethods(_) | Found::Nothing => panic!("{path} is not found"),
            }
            reached += 1;
        }
        assert_eq!(reached, HTTP_RULES.len());
    }

    #[test]
    fn a_path_binds_the_whole_name() {
        let name = "projects/p/locations/l/reasoningEngines/7/sessions/s";
        let (rpc, values) = bound(Method::POST, &format!("/v1beta1/{name}:appendEvent")).unwrap();
        assert_eq!(rpc, "google.cloud.aiplatform.v1beta1.SessionService.AppendEvent");
        assert_eq!(values, [("name", name.to_owned())]);
        let (rpc, values) = bound(Method::PATCH, &format!("/v1/{name}")).unwrap();
        assert_eq!(rpc, "google.cloud.aiplatform.v1.SessionService.UpdateSession");
        assert_eq!(values, [("session.name", name.to_owned())]);
        // An encoded colon is the verb's, an encoded slash stays within its segment.
        assert!(bound(Method::POST, &format!("/v1beta1/{name}%3AappendEvent")).is_some());
        let (_, values) =
            bound(Method::GET, "/v1/projects/p/locations/l/reasoningEngines/7/sessions/a%2Fb").unwrap();
        assert!(values[0].1.ends_with("/sessions/a/b"));
    }

    #[test]
    fn what_is_not_there_is_not_found_or_not_allowed() {
        let router = router();
        for path in [
            "",
            "/",
            "/v1",
            "/v3/projects/p/locations/l/reasoningEngines",
            "/v1/reasoningEngines/",
            "/v1/%ff",
        ] {
            assert!(matches!(router.find(&Method::GET, path), Found::Nothing), "{path}");
        }
        match router.find(&Method::POST, "/v1beta1/reasoningEngines/1/sessions/2") {
            Found::OtherMethods(methods) => assert_eq!(methods.len(), 3),
            Found::Route(..) | Found::Nothing => panic!("expected other methods"),
        }
    }
}
