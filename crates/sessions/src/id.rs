//! Ids: those that the server gives, and the rule for those that callers choose.

/// Gives the ids of engines, sessions, events and operations.
pub trait IdSource: Send + Sync + 'static {
    /// 64 unpredictable bits.
    fn random(&self) -> u64;
}

/// A server-given id, 18 or 19 decimal digits, positive as a signed 64-bit number and
/// random-looking, as the live service gives them (contract section 2.5).
pub fn next_id(source: &dyn IdSource) -> u64 {
    const LOWEST: u64 = 100_000_000_000_000_000;
    const SPAN: u64 = i64::MAX as u64 - LOWEST;
    LOWEST + source.random() % SPAN
}

/// Which session ids callers may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionIdRule {
    /// At most 63 of `[a-z0-9-]`, first and last a letter or digit (contract section 4.4).
    #[default]
    Published,
    /// At most 128 of `[A-Za-z0-9_-]`: also the ids that the Agent Development Kits make.
    Open,
}

impl SessionIdRule {
    /// Whether `id` may name a session.
    pub fn allows(self, id: &str) -> bool {
        let bytes = id.as_bytes();
        match self {
            Self::Published => {
                let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                bytes.len() <= 63
                    && bytes.first().is_some_and(plain)
                    && bytes.last().is_some_and(plain)
                    && bytes.iter().all(|b| plain(b) || *b == b'-')
            }
            Self::Open => {
                let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
                (1..=128).contains(&bytes.len()) && bytes.iter().all(allowed)
            }
        }
    }

    /// The rule in a sentence, for the caller who broke it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Published => {
                "A session id can only contain lowercase letters, digits and hyphens, must start and \
                 end with a letter or digit, and is at most 63 characters long."
            }
            Self::Open => {
                "A session id can only contain letters, digits, underscores and hyphens, and is at \
                 most 128 characters long."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);
    impl IdSource for Fixed {
        fn random(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn given_ids_have_18_or_19_digits() {
        for bits in [0, 1, u64::MAX, u64::MAX / 2, 42] {
            let id = next_id(&Fixed(bits));
            assert!((18..=19).contains(&id.to_string().len()), "{id}");
            assert!(i64::try_from(id).is_ok());
        }
    }

    #[test]
    fn the_published_rule() {
        for id in ["a", "7", "se-r31", "4703738849891713024", &"a".repeat(63)] {
            assert!(SessionIdRule::Published.allows(id), "{id}");
        }
        for id in ["", "-a", "a-", "A", "a_b", "a b", "é", "a\0", &"a".repeat(64)] {
            assert!(!SessionIdRule::Published.allows(id), "{id}");
        }
    }

    #[test]
    fn the_open_rule() {
        for id in ["A_b-9", "-", &"a".repeat(128)] {
            assert!(SessionIdRule::Open.allows(id), "{id}");
        }
        for id in ["", "a/b", "a.b", &"a".repeat(129)] {
            assert!(!SessionIdRule::Open.allows(id), "{id}");
        }
    }
}
