//! The query string: the standard parameters of Google's APIs, and the request's own.

use std::borrow::Cow;

use colloquy_sessions::Error;

/// What a query string asks for.
#[derive(Debug, Default)]
pub(crate) struct Query<'q> {
    /// `enum-encoding=int`: enums are answered as numbers.
    pub enums_as_numbers: bool,
    /// `prettyPrint`: the answer is indented.
    pub pretty: bool,
    /// `fields`: the part of the answer that is wanted.
    pub fields: Option<Cow<'q, str>>,
    /// The request's own parameters, in order.
    pub parameters: Vec<(Cow<'q, str>, Cow<'q, str>)>,
}

/// Standard parameters that mean nothing here, or are read elsewhere (contract section 1.3).
const IGNORED: &[&str] = &[
    "$.xgafv",
    "access_token",
    "callback",
    "key",
    "oauth_token",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "$userProject",
    "userProject",
];

impl<'q> Query<'q> {
    /// Reads a query string as it stands in the request line.
    pub(crate) fn parse(text: &'q str) -> Result<Self, Error> {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            match name.as_ref() {
                "alt" | "$alt" => query.read_alt(&value)?,
                "prettyPrint" | "$prettyPrint" | "pp" => query.pretty = read_bool("prettyPrint", &value)?,
                "fields" | "$fields" => query.fields = Some(value),
                name if IGNORED.contains(&name) => {}
                _ => query.parameters.push((name, value)),
            }
        }
        Ok(query)
    }

    /// Reads `json;enum-encoding=int`.
    fn read_alt(&mut self, value: &str) -> Result<(), Error> {
        let mut parts = value.split(';');
        if parts.next() != Some("json") {
            return Err(Error::field(
                "alt",
                "Only \"json\" is supported, optionally with \";enum-encoding=int\".",
            ));
        }
        for part in parts {
            match part {
                "enum-encoding=int" => self.enums_as_numbers = true,
                "enum-encoding=name" | "enum-encoding=string" => self.enums_as_numbers = false,
                _ => return Err(Error::field("alt", "Only the option \"enum-encoding=int\" is supported.")),
            }
        }
        Ok(())
    }
}

fn read_bool(name: &str, value: &str) -> Result<bool, Error> {
    match value {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Error::field(name, "The value must be \"true\" or \"false\".")),
    }
}

/// Undoes form encoding: `+` is a space, then percent-encoding.
fn decode(text: &str) -> Result<Cow<'_, str>, Error> {
    let invalid = || Error::unreadable("The query string is not valid UTF-8.", Vec::new());
    if !text.contains('+') {
        return super::segments::decode(text).ok_or_else(invalid);
    }
    let spaced = text.replace('+', " ");
    Ok(Cow::Owned(super::segments::decode(&spaced).ok_or_else(invalid)?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_parameters_are_told_from_the_requests_own() {
        let text = "sessionId=s-1&$alt=json;enum-encoding=int&key=secret&prettyPrint=true&filter=user_id%3D%22a+b%22";
        let query = Query::parse(text).unwrap();
        assert!(query.enums_as_numbers && query.pretty);
        let own: Vec<_> = query.parameters.iter().map(|(k, v)| (k.as_ref(), v.as_ref())).collect();
        assert_eq!(own, [("sessionId", "s-1"), ("filter", "user_id=\"a b\"")]);
    }

    #[test]
    fn encoded_standard_parameters_count_too() {
        let query = Query::parse("%24alt=json%3Benum-encoding%3Dint&fields=name,done").unwrap();
        assert!(query.enums_as_numbers && query.parameters.is_empty());
        assert_eq!(query.fields.as_deref(), Some("name,done"));
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        for (text, part) in [("alt=proto", "alt"), ("prettyPrint=maybe", "prettyPrint"), ("a=%ff", "UTF-8")] {
            assert!(Query::parse(text).unwrap_err().message().contains(part), "{text}");
        }
    }
}
