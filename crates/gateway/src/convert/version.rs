//! Versions of the API: the paths, the packages and the type URLs that tell them apart.

use colloquy_contract::HttpRule;
use colloquy_sessions::operation::ApiVersion;

/// The version that a rule is of. Paths under `/ui` are of none: clients of both versions poll them.
pub(crate) fn of_rule(rule: &HttpRule) -> Option<ApiVersion> {
    let first = rule.template.trim_start_matches('/').split('/').next();
    ApiVersion::ALL.into_iter().find(|version| first == Some(path(*version)))
}

/// The version that an RPC is of; operations are of none.
pub(crate) fn of_rpc(full_name: &str) -> Option<ApiVersion> {
    let in_package = |version: &ApiVersion| {
        full_name.strip_prefix(package(*version)).is_some_and(|rest| rest.starts_with('.'))
    };
    ApiVersion::ALL.into_iter().find(in_package)
}

/// The type URL of a message of the version's package.
pub(crate) fn type_url(version: ApiVersion, message: &str) -> String {
    format!("type.googleapis.com/{}.{message}", package(version))
}

fn package(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V1 => "google.cloud.aiplatform.v1",
        ApiVersion::V1beta1 => "google.cloud.aiplatform.v1beta1",
    }
}

fn path(version: ApiVersion) -> &'static str {
    match version {
        ApiVersion::V1 => "v1",
        ApiVersion::V1beta1 => "v1beta1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_rpcs_agree_on_their_version() {
        for rule in colloquy_contract::HTTP_RULES {
            if let Some(version) = of_rpc(rule.rpc) {
                assert_eq!(of_rule(rule), Some(version), "{}", rule.template);
            } else {
                let ours = rule.rpc.starts_with("colloquy.v1.");
                assert!(ours || rule.rpc.starts_with("google.longrunning."), "{}", rule.rpc);
            }
        }
        let unversioned = colloquy_contract::HTTP_RULES.iter().filter(|rule| of_rule(rule).is_none());
        assert!(unversioned.clone().count() > 0);
        let outside = ["/ui/", "/colloquy/v1/"];
        assert!(
            unversioned.into_iter().all(|rule| outside.iter().any(|path| rule.template.starts_with(path)))
        );
    }
}
