//! Settings: flags over environment over a TOML file over defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use colloquy_gateway::HttpLimits;
use colloquy_sessions::id::SessionIdRule;
use colloquy_sessions::limits::Limits;
use colloquy_sessions::service::NameRules;
use serde::Deserialize;

use crate::store::{Place, StoreUrl};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Which session ids callers may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SessionIds {
    /// As on the live service: at most 63 of a-z, 0-9 and hyphens.
    #[default]
    Published,
    /// At most 128 letters, digits, underscores and hyphens, as ADK makes them.
    Open,
}

/// The options of `serve`. Each can also stand in the file, under the same name with underscores.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeArgs {
    /// A TOML file with settings.
    #[arg(long, env = "COLLOQUY_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// The address and port to listen on; port 0 takes a free one. [default: 127.0.0.1:8080]
    #[arg(long, env = "COLLOQUY_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the data is kept. [default: ./colloquy-data]
    #[arg(long, env = "COLLOQUY_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Keep the data in a PostgreSQL database, postgres://USER:PASSWORD@HOST/DATABASE, instead of the data directory.
    #[arg(long, env = "COLLOQUY_STORE", value_name = "URL", hide_env_values = true)]
    store: Option<StoreUrl>,
    /// Listen on an address that others can reach, although nobody is asked who they are.
    #[arg(long, env = "COLLOQUY_INSECURE", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure: Option<bool>,
    /// Make engines that are named but do not exist.
    #[arg(long, env = "COLLOQUY_AUTO_CREATE_ENGINES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    auto_create_engines: Option<bool>,
    /// Take an event's own id, as ADK gives one in rawEvent.id, for the request id of its append, so that a retry is stored once.
    #[arg(long, env = "COLLOQUY_RAW_EVENT_IDS", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    raw_event_ids: Option<bool>,
    /// Which session ids callers may choose. [default: published]
    #[arg(long, env = "COLLOQUY_SESSION_IDS", value_enum)]
    session_ids: Option<SessionIds>,
    /// The project that paths without a project mean. [default: local]
    #[arg(long, env = "COLLOQUY_EXPRESS_PROJECT", value_name = "PROJECT")]
    express_project: Option<String>,
    /// The location that paths without a location mean. [default: us-central1]
    #[arg(long, env = "COLLOQUY_EXPRESS_LOCATION", value_name = "LOCATION")]
    express_location: Option<String>,
    /// Two names of one project, its id and its number. May be given more than once.
    #[arg(
        long = "project-number",
        env = "COLLOQUY_PROJECT_NUMBERS",
        value_name = "ID=NUMBER",
        value_delimiter = ','
    )]
    #[serde(skip)]
    project_number_pairs: Vec<String>,
    /// The same in the file: a table of ids with their numbers.
    #[arg(skip)]
    project_numbers: BTreeMap<String, String>,
    /// How much of the disk is kept in the data directory, in bytes, so that sessions can be deleted when it is full;
    /// 0 keeps nothing. [default: 8388608]
    #[arg(long, env = "COLLOQUY_DISK_RESERVE_BYTES", value_name = "BYTES")]
    disk_reserve_bytes: Option<u64>,
    /// The largest request body, in bytes. [default: 10485760]
    #[arg(long, env = "COLLOQUY_MAX_BODY_BYTES", value_name = "BYTES")]
    max_body_bytes: Option<usize>,
    /// The largest stored event, in bytes. [default: 4194304]
    #[arg(long, env = "COLLOQUY_MAX_EVENT_BYTES", value_name = "BYTES")]
    max_event_bytes: Option<usize>,
    /// The largest merged state of a session, in bytes. [default: 1048576]
    #[arg(long, env = "COLLOQUY_MAX_STATE_BYTES", value_name = "BYTES")]
    max_state_bytes: Option<usize>,
    /// How deep JSON may nest, at most 100. [default: 100]
    #[arg(long, env = "COLLOQUY_MAX_JSON_DEPTH", value_name = "LEVELS")]
    max_json_depth: Option<usize>,
    /// What is logged: error, warn, info, debug, trace, or a filter such as `info,request=warn`. [default: info]
    #[arg(long, env = "COLLOQUY_LOG_LEVEL", value_name = "LEVEL")]
    log_level: Option<String>,
    /// How the log is written, to stderr. [default: text]
    #[arg(long, env = "COLLOQUY_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// Answer appends without storing them: the ceiling that benchmarks hold the store against.
    #[arg(long, hide = true)]
    #[serde(skip)]
    bench_null_append: bool,
}

/// What a server runs with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) place: Place,
    /// How the embedded store uses the machine.
    pub(crate) sqlite: colloquy_store_sqlite::Options,
    pub(crate) http: HttpLimits,
    pub(crate) service: colloquy_sessions::service::Settings,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
    pub(crate) bench_null_append: bool,
}

impl ServeArgs {
    /// Reads the file, if there is one, and fills in the defaults.
    pub(crate) fn settle(self) -> Result<Settings> {
        let file = match &self.config {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
                toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?
            }
            None => Self::default(),
        };
        self.over(file)
    }

    fn over(self, file: Self) -> Result<Settings> {
        let default = (Limits::default(), HttpLimits::default());
        let limits = Limits {
            event_bytes: self.max_event_bytes.or(file.max_event_bytes).unwrap_or(default.0.event_bytes),
            state_bytes: self.max_state_bytes.or(file.max_state_bytes).unwrap_or(default.0.state_bytes),
        };
        let http = HttpLimits {
            body_bytes: self.max_body_bytes.or(file.max_body_bytes).unwrap_or(default.1.body_bytes),
            json_depth: self.max_json_depth.or(file.max_json_depth).unwrap_or(default.1.json_depth),
        };
        if !(1..=default.1.json_depth).contains(&http.json_depth) {
            bail!("max_json_depth must be between 1 and {}", default.1.json_depth);
        }
        let listen = self.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let insecure = self.insecure.or(file.insecure).unwrap_or(false);
        if !listen.ip().is_loopback() && !insecure {
            bail!(
                "{listen} can be reached from other machines, and this server does not ask who its callers are; \
                 listen on a loopback address, or say --insecure"
            );
        }
        let mut project_numbers = file.project_numbers;
        for pair in &self.project_number_pairs {
            let (id, number) = pair.split_once('=').with_context(|| format!("{pair:?} is not ID=NUMBER"))?;
            project_numbers.insert(id.to_owned(), number.to_owned());
        }
        let express = resource_names::LocationName {
            project: self.express_project.or(file.express_project).unwrap_or_else(|| "local".to_owned()),
            location: self
                .express_location
                .or(file.express_location)
                .unwrap_or_else(|| "us-central1".to_owned()),
        };
        let session_ids = match self.session_ids.or(file.session_ids).unwrap_or_default() {
            SessionIds::Published => SessionIdRule::Published,
            SessionIds::Open => SessionIdRule::Open,
        };
        let place = match self.store.or(file.store) {
            Some(url) => Place::Postgres(url),
            None => {
                let directory = self.data_dir.or(file.data_dir);
                Place::Directory(directory.unwrap_or_else(|| PathBuf::from("colloquy-data")))
            }
        };
        let mut sqlite = colloquy_store_sqlite::Options::default();
        if let Some(bytes) = self.disk_reserve_bytes.or(file.disk_reserve_bytes) {
            sqlite.reserve_bytes = bytes;
        }
        Ok(Settings {
            listen,
            place,
            sqlite,
            http,
            service: colloquy_sessions::service::Settings {
                names: NameRules { express, project_numbers },
                session_ids,
                limits,
                auto_create_engines: self.auto_create_engines.or(file.auto_create_engines).unwrap_or(false),
                raw_event_ids: self.raw_event_ids.or(file.raw_event_ids).unwrap_or(false),
            },
            log_level: self.log_level.or(file.log_level).unwrap_or_else(|| "info".to_owned()),
            log_format: self.log_format.or(file.log_format).unwrap_or_default(),
            bench_null_append: self.bench_null_append,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> ServeArgs {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn flags_go_over_the_file() {
        let flags = ServeArgs { max_event_bytes: Some(7), ..ServeArgs::default() };
        let file = file(
            "listen = \"127.0.0.1:1\"\nmax_event_bytes = 8\ndisk_reserve_bytes = 9\nsession_ids = \"open\"\n[project_numbers]\ndemo = \"42\"\n",
        );
        let settings = flags.over(file).unwrap();
        assert_eq!(settings.service.limits.event_bytes, 7);
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.sqlite.reserve_bytes, 9);
        assert_eq!(settings.service.session_ids, SessionIdRule::Open);
        assert_eq!(settings.service.names.project_numbers["demo"], "42");
    }

    #[test]
    fn a_database_goes_over_a_directory() {
        let place = |flags: ServeArgs, text| flags.over(file(text)).unwrap().place;
        let named = |text: &str| Place::Postgres(text.parse().unwrap());
        let flags = || ServeArgs { data_dir: Some("d".into()), ..ServeArgs::default() };
        assert_eq!(place(ServeArgs::default(), ""), Place::Directory("colloquy-data".into()));
        assert_eq!(place(flags(), "data_dir = \"e\""), Place::Directory("d".into()));
        assert_eq!(place(flags(), "store = \"postgres://a/b\""), named("postgres://a/b"));
        let flags = ServeArgs { store: "postgres://c/d".parse().ok(), ..flags() };
        assert_eq!(place(flags, "store = \"postgres://a/b\""), named("postgres://c/d"));
        assert!(toml::from_str::<ServeArgs>("store = \"mysql://a/b\"").is_err());
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = toml::from_str::<ServeArgs>("lisen = \"127.0.0.1:1\"").unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }

    #[test]
    fn only_loopback_is_open_by_default() {
        let listen = |address: &str, insecure| {
            let args = ServeArgs { listen: address.parse().ok(), insecure, ..ServeArgs::default() };
            args.over(ServeArgs::default())
        };
        assert!(listen("0.0.0.0:80", None).unwrap_err().to_string().contains("--insecure"));
        assert!(listen("[::]:80", Some(false)).is_err());
        assert!(listen("0.0.0.0:80", Some(true)).is_ok());
        assert!(listen("[::1]:80", None).is_ok());
    }
}
