//! Reads the `google.api.http` annotations out of the compiled descriptors.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

const OPERATIONS: &str = "google.longrunning.Operations";

/// What operations hang from (contract section 1.3): with a version and, as some clients ask, under `/ui`.
const OPERATION_PARENTS: &[&str] = &[
    "projects/*/locations/*",
    "projects/*/locations/*/reasoningEngines/*",
    "projects/*/locations/*/reasoningEngines/*/sessions/*",
    "reasoningEngines/*",
    "reasoningEngines/*/sessions/*",
];

/// The text of a Rust array with one entry for each binding.
pub fn table(pool: &DescriptorPool) -> Result<String> {
    let http = pool.get_extension_by_name("google.api.http").context("google.api.http is not compiled")?;
    let mut text = String::from("&[\n");
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        if method.parent_service().full_name() == OPERATIONS {
            for (verb, template) in operation_bindings(method.name())? {
                write_rule(&mut text, &method, verb, &template, None)?;
            }
            continue;
        }
        let options = method.options();
        let rule = options.get_extension(&http);
        let rule = rule.as_message().with_context(|| format!("{} has no HTTP rule", method.full_name()))?;
        write_binding(&mut text, &method, rule)?;
        let more = rule.get_field_by_name("additional_bindings").context("additional_bindings")?;
        for binding in more.as_list().context("additional_bindings is not a list")? {
            write_binding(&mut text, &method, binding.as_message().context("a binding is no message")?)?;
        }
    }
    text.push(']');
    Ok(text)
}

fn operation_bindings(method: &str) -> Result<Vec<(&'static str, String)>> {
    let (verb, of_parent, custom) = match method {
        "ListOperations" => ("get", true, ""),
        "GetOperation" => ("get", false, ""),
        "DeleteOperation" => ("delete", false, ""),
        "CancelOperation" => ("post", false, ":cancel"),
        "WaitOperation" => ("post", false, ":wait"),
        other => anyhow::bail!("{OPERATIONS}.{other} has no paths"),
    };
    let mut bindings = Vec::new();
    for prefix in ["v1beta1", "v1", "ui"] {
        for parent in OPERATION_PARENTS {
            let template = if of_parent {
                format!("/{prefix}/{{name={parent}}}/operations")
            } else {
                format!("/{prefix}/{{name={parent}/operations/*}}{custom}")
            };
            bindings.push((verb, template));
        }
    }
    Ok(bindings)
}

fn write_binding(text: &mut String, method: &MethodDescriptor, rule: &DynamicMessage) -> Result<()> {
    let string = |name: &str| {
        rule.get_field_by_name(name)
            .and_then(|value| value.as_str().map(str::to_owned))
            .filter(|s| !s.is_empty())
    };
    let (verb, template) = ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .find_map(|verb| string(verb).map(|template| (verb, template)))
        .with_context(|| format!("{} has a binding without a path", method.full_name()))?;
    write_rule(text, method, verb, &template, string("body").as_deref())
}

fn write_rule(
    text: &mut String,
    method: &MethodDescriptor,
    verb: &str,
    template: &str,
    body: Option<&str>,
) -> Result<()> {
    writeln!(
        text,
        "HttpRule {{ rpc: {:?}, method: {:?}, verb: {verb:?}, template: {template:?}, body: {body:?}, \
         input: {:?}, output: {:?} }},",
        method.full_name(),
        method.name(),
        method.input().full_name(),
        method.output().full_name(),
    )?;
    Ok(())
}
