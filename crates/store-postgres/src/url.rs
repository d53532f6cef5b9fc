//! The URL of a database: what the driver reads of it, and the parameters that are read here.

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::OpenError;
use crate::tls::{Mode, Tls};

/// What a URL asks for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// What the driver knows of, without `options`.
    pub(crate) config: Config,
    /// How the connection is kept from others.
    pub(crate) tls: Tls,
    /// Whether a pooler may hand each transaction to another connection of the database.
    pub(crate) is_pooled: bool,
    /// Settings of the database, in the order in which they were asked for.
    pub(crate) settings: Vec<(String, String)>,
}

impl Target {
    /// Reads a URL. No text of an error holds what may be a secret.
    pub(crate) fn read(url: &str) -> Result<Self, OpenError> {
        let (place, parameters) = parameters(url);
        let (mut kept, mut tls) = (Vec::new(), Tls::default());
        let (mut is_pooled, mut options) = (false, String::new());
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match key {
                "sslmode" => tls.mode = mode(&decode(value)?)?,
                "sslrootcert" => tls.roots = Some(decode(value)?),
                "sslcert" => tls.certificate = Some(decode(value)?),
                "sslkey" => tls.key = Some(decode(value)?),
                "options" => options = decode(value)?,
                "pgbouncer" => {
                    is_pooled = match value {
                        "true" => true,
                        "false" => false,
                        _ => return Err(OpenError::Url("pgbouncer is true or false".to_owned())),
                    }
                }
                _ => kept.push(parameter),
            }
        }
        if tls.certificate.is_some() != tls.key.is_some() {
            return Err(OpenError::Url("sslcert and sslkey go together".to_owned()));
        }
        // The text of the error names what is wrong, not what was given.
        let mut config: Config = format!("{place}?{}", kept.join("&"))
            .parse()
            .map_err(|error: tokio_postgres::Error| OpenError::Url(crate::error::describe(&error)))?;
        config.ssl_mode(match tls.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        Ok(Self { config, tls, is_pooled, settings: settings(&options)? })
    }
}

/// The URL up to its parameters, and these. Like the driver, this takes all up to the first `@` for user and password.
fn parameters(url: &str) -> (&str, &str) {
    let credentials = url.find('@').unwrap_or(0);
    let start = url.get(credentials..).and_then(|rest| rest.find('?')).map(|place| credentials + place);
    start.and_then(|start| Some((url.get(..start)?, url.get(start + 1..)?))).unwrap_or((url, ""))
}

fn decode(value: &str) -> Result<String, OpenError> {
    let text = percent_decode_str(value).decode_utf8();
    text.map(String::from).map_err(|_| OpenError::Url("a parameter is not UTF-8".to_owned()))
}

fn mode(value: &str) -> Result<Mode, OpenError> {
    Ok(match value {
        "disable" => Mode::Disable,
        "prefer" => Mode::Prefer,
        "require" => Mode::Require,
        "verify-ca" => Mode::VerifyCa,
        "verify-full" => Mode::VerifyFull,
        _ => {
            let modes = "sslmode is disable, prefer, require, verify-ca or verify-full";
            return Err(OpenError::Url(modes.to_owned()));
        }
    })
}

/// Settings as the command line of PostgreSQL has them: `-c name=value` or `--name=value`, a blank within a value
/// behind a backslash.
fn settings(options: &str) -> Result<Vec<(String, String)>, OpenError> {
    let mut words = words(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") if word == "-c" => words.next().unwrap_or_default(),
            Some(setting) => setting.to_owned(),
            None => String::new(),
        };
        let Some((name, value)) = setting.split_once('=').filter(|(name, _)| is_name(name)) else {
            return Err(OpenError::Url("options are written -c name=value".to_owned()));
        };
        // PostgreSQL takes both in names of its command line.
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn words(options: &str) -> Vec<String> {
    let (mut words, mut word, mut escaped) = (Vec::new(), String::new(), false);
    for character in options.chars() {
        match character {
            '\\' if !escaped => escaped = true,
            blank if blank.is_whitespace() && !escaped => words.push(std::mem::take(&mut word)),
            other => {
                word.push(other);
                escaped = false;
            }
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_our_own_do_not_reach_the_driver() {
        let target = Target::read(
            "postgres://u:a%3Fb@h:1/d?sslmode=verify-full&sslrootcert=%2Fa%20b.pem&connect_timeout=3&pgbouncer=true",
        )
        .unwrap();
        assert_eq!(target.tls.mode, Mode::VerifyFull);
        assert_eq!(target.tls.roots.as_deref(), Some("/a b.pem"));
        assert!(target.is_pooled);
        assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(target.config.get_dbname(), Some("d"));
        assert_eq!(target.config.get_password(), Some(b"a?b".as_slice()));
        assert_eq!(target.config.get_connect_timeout().map(|time| time.as_secs()), Some(3));
    }

    #[test]
    fn without_parameters_tls_is_preferred() {
        let target = Target::read("postgres://h/d").unwrap();
        assert_eq!((target.tls.mode, target.is_pooled), (Mode::Prefer, false));
        assert_eq!(target.config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn options_are_settings() {
        let target =
            Target::read("postgres://h/d?options=-c%20search_path%3Dx%20--work-mem%3D1MB%20-ca.b%3Dc%5C%20d")
                .unwrap();
        let settings: Vec<_> =
            target.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(settings, [("search_path", "x"), ("work_mem", "1MB"), ("a.b", "c d")]);
        assert_eq!(target.config.get_options(), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_a_secret() {
        for (parameters, text) in [
            ("sslmode=allow", "sslmode is disable"),
            ("sslcert=/secret", "sslcert and sslkey go together"),
            ("sslkey=/secret", "sslcert and sslkey go together"),
            ("pgbouncer=secret", "pgbouncer is true or false"),
            ("options=-d%20secret", "options are written"),
            ("options=-c%20a%27secret%3D1", "options are written"),
            ("nothing=secret", "unknown option"),
            ("sslrootcert=%ff", "not UTF-8"),
        ] {
            let error =
                Target::read(&format!("postgres://u:secret@h/d?{parameters}")).unwrap_err().to_string();
            assert!(error.contains(text) && !error.contains("secret"), "{error}");
        }
    }
}
