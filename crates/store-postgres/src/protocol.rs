//! What a connection is told before it works: the database's settings, and how statements are sent. Directly, settings
//! come with the connection and statements are prepared once on each. Behind a pooler that hands every transaction to
//! another connection of the database (PgBouncer in transaction mode), settings come with each transaction, and
//! statements have no names: nothing of a transaction stays for the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::types::Type;

use crate::Options;

/// How this store talks to its database.
#[derive(Debug)]
pub(crate) struct Protocol {
    settings: Vec<(String, String)>,
    /// Behind a pooler, the types of the parameters of each statement that was sent.
    types: Option<Mutex<HashMap<String, Arc<[Type]>>>>,
}

impl Protocol {
    /// What `asked` says comes last, and so holds.
    pub(crate) fn new(options: &Options, asked: Vec<(String, String)>, is_pooled: bool) -> Self {
        let deadline = options.deadline.as_millis().to_string();
        // What a node holds that is cut off is let go of within one deadline: a statement of it may still come to its
        // lock when it has nobody any more to go on with it.
        let idle = (options.deadline / 4).as_millis().to_string();
        let lock = (options.deadline * 3 / 4).as_millis().to_string();
        // Every statement is a walk of an index that was made for it; statistics of a table that has grown since, or
        // none at all, must not make it the reading of a table. So one plan serves whatever it is given, and to plan
        // anew for each batch would cost more than to run it.
        let own = [
            ("statement_timeout", deadline.as_str()),
            ("idle_in_transaction_session_timeout", &idle),
            ("lock_timeout", &lock),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { settings: own.chain(asked).collect(), types: is_pooled.then(Mutex::default) }
    }

    /// Whether each transaction may be on another connection.
    pub(crate) fn is_pooled(&self) -> bool {
        self.types.is_some()
    }

    /// The settings as a connection takes them when it begins; none behind a pooler, which refuses them.
    pub(crate) fn startup_options(&self) -> Option<String> {
        let option = |(name, value): &(String, String)| {
            let mut text = format!("-c {name}=");
            for character in value.chars() {
                if character == '\\' || character.is_whitespace() {
                    text.push('\\');
                }
                text.push(character);
            }
            text
        };
        (!self.is_pooled()).then(|| self.settings.iter().map(option).collect::<Vec<_>>().join(" "))
    }

    /// The settings as a statement for one transaction; none where they came with the connection.
    pub(crate) fn transaction_settings(&self) -> Option<String> {
        let quoted = |text: &str| text.replace('\'', "''").replace('\\', "\\\\");
        let set = |(name, value): &(String, String)| {
            format!("set_config(E'{}', E'{}', TRUE)", quoted(name), quoted(value))
        };
        let all = || self.settings.iter().map(set).collect::<Vec<_>>().join(", ");
        self.is_pooled().then(|| format!("SELECT {}", all()))
    }

    /// The types of a statement's parameters, if it was sent before.
    pub(crate) fn types(&self, sql: &str) -> Option<Arc<[Type]>> {
        let types = self.types.as_ref()?;
        types.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned()
    }

    /// Keeps the types of a statement's parameters.
    pub(crate) fn learn(&self, sql: &str, parameters: &[Type]) -> Arc<[Type]> {
        let parameters: Arc<[Type]> = parameters.into();
        if let Some(types) = &self.types {
            let mut types = types.lock().unwrap_or_else(PoisonError::into_inner);
            types.insert(sql.to_owned(), Arc::clone(&parameters));
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(is_pooled: bool) -> Protocol {
        let asked = vec![("a.b".to_owned(), r"it's a \".to_owned())];
        Protocol::new(&Options::default(), asked, is_pooled)
    }

    #[test]
    fn settings_come_with_the_connection_or_with_each_transaction() {
        let direct = protocol(false);
        let options = direct.startup_options().unwrap();
        assert!(options.starts_with("-c statement_timeout=20000 -c idle_in"), "{options}");
        assert!(options.ends_with(r"-c a.b=it's\ a\ \\"), "{options}");
        assert_eq!(direct.transaction_settings(), None);
        let pooled = protocol(true);
        assert_eq!(pooled.startup_options(), None);
        let settings = pooled.transaction_settings().unwrap();
        assert!(
            settings.starts_with("SELECT set_config(E'statement_timeout', E'20000', TRUE), "),
            "{settings}"
        );
        assert!(settings.ends_with(r"set_config(E'a.b', E'it''s a \\', TRUE)"), "{settings}");
    }

    #[test]
    fn types_are_kept_only_behind_a_pooler() {
        for is_pooled in [false, true] {
            let protocol = protocol(is_pooled);
            assert_eq!(protocol.types("x"), None);
            protocol.learn("x", &[Type::INT8]);
            assert_eq!(protocol.types("x").is_some(), is_pooled);
        }
    }
}
