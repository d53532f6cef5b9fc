//! Which store a server has, and opening it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use colloquy_sessions::store::Store;
use colloquy_store_postgres::PostgresStore;
use colloquy_store_sqlite::SqliteStore;
use serde::Deserialize;

/// The URL of a database. It may hold a password, and so is never shown whole.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct StoreUrl(String);

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            Ok(Self(text))
        } else {
            Err("a store is a URL that begins with postgres://".to_owned())
        }
    }
}

impl StoreUrl {
    /// The whole URL, for those who connect.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// Host and database, without user, password and options.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let rest = rest.split('?').next().unwrap_or_default();
        // A password may hold an `@` of its own: the last one ends it.
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The embedded store in a directory.
    Directory(PathBuf),
    /// A PostgreSQL database.
    Postgres(StoreUrl),
}

/// A directory, as it is or as `sqlite:DIR`, or the URL of a database.
impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = match text.split_once(':') {
            Some(("sqlite", path)) => path,
            Some(("postgres" | "postgresql", _)) => return text.parse().map(Self::Postgres),
            _ if text.contains("://") => {
                let scheme = text.split("://").next().unwrap_or_default();
                return Err(format!("{scheme} is no store; there are sqlite:DIR and postgres://…"));
            }
            _ => text,
        };
        // Whoever writes two slashes means none, or three.
        let is_host = path.starts_with("//") && !path.starts_with("///");
        if path.is_empty() || (is_host && path.len() < text.len()) {
            return Err("a store of SQLite is named by its directory, sqlite:DIR".to_owned());
        }
        Ok(Self::Directory(PathBuf::from(path)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => {
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                write!(f, "{}", whole.display())
            }
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

/// A store that was opened.
pub(crate) enum Opened {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Opened {
    /// Opens the store and brings its schema up to date.
    pub(crate) async fn open(place: &Place, sqlite: colloquy_store_sqlite::Options) -> Result<Self> {
        match place {
            Place::Directory(path) => SqliteStore::open(path, sqlite)
                .context("opening the store")
                .map(|store| Self::Sqlite(Arc::new(store))),
            Place::Postgres(url) => PostgresStore::open(&url.0, colloquy_store_postgres::Options::default())
                .await
                .with_context(|| format!("opening the store {url}"))
                .map(|store| Self::Postgres(Arc::new(store))),
        }
    }

    /// The store, whichever it is.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as _,
            Self::Postgres(store) => Arc::clone(store) as _,
        }
    }

    /// Ends what is under way.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        for (url, shown) in [
            ("postgres://db/colloquy", "postgres://db/colloquy"),
            ("postgresql://me:p@ss@db:5432/colloquy?options=-c%20a%3Db", "postgresql://db:5432/colloquy"),
            ("postgres://me@[::1]/x?password=secret", "postgres://[::1]/x"),
        ] {
            let parsed: StoreUrl = url.parse().unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), shown);
        }
    }

    #[test]
    fn a_place_is_a_directory_or_a_database() {
        let place = |text: &str| text.parse::<Place>();
        for (text, path) in [
            ("data", "data"),
            ("./a:b", "./a:b"),
            ("//a", "//a"),
            ("sqlite:data", "data"),
            ("sqlite:/var/data", "/var/data"),
            ("sqlite:///var/data", "///var/data"),
        ] {
            assert_eq!(place(text), Ok(Place::Directory(path.into())), "{text}");
        }
        let url = "postgres://me:secret@db/x";
        assert_eq!(place(url), Ok(Place::Postgres(url.parse().unwrap())));
        for text in ["", "sqlite:", "sqlite://data", "mysql://me:secret@db/x", "postgres:db"] {
            let error = place(text).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn other_stores_are_refused() {
        for url in ["", "mysql://db/x", "colloquy-data", "postgres:db"] {
            assert!(url.parse::<StoreUrl>().is_err(), "{url}");
        }
    }
}
