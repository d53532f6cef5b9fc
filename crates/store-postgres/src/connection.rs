//! A connection out of the pool, which goes back only if it is fit for the next one.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool_postgres::Client;

use crate::error::{Attempt, Failure};

/// A connection that was handed out so lately, and came back, is one that works.
const FRESH: Duration = Duration::from_secs(1);

/// A connection in use. Whoever goes away in the middle, as at a deadline, closes it: the next one would wait for the
/// answers that nobody has read, and never get one where the other end is gone without a word.
#[derive(Debug)]
pub(crate) struct Connection(
    /// None once it was given back.
    Option<Client>,
);

impl Connection {
    pub(crate) fn new(client: Client) -> Self {
        Self(Some(client))
    }

    /// Gives it back after what it was used for, or closes it where that failed in a way that the next would too.
    pub(crate) fn end<T>(mut self, done: Attempt<T>) -> Attempt<T> {
        if done.as_ref().err().is_none_or(Failure::leaves_the_connection) {
            drop(self.0.take());
        }
        done
    }
}

impl Deref for Connection {
    type Target = Client;

    #[expect(clippy::expect_used, reason = "it is there until this value ends")]
    fn deref(&self) -> &Client {
        self.0.as_ref().expect("a connection")
    }
}

impl DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "it is there until this value ends")]
    fn deref_mut(&mut self) -> &mut Client {
        self.0.as_mut().expect("a connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(client) = self.0.take() else { return };
        let pool = Client::pool(&client);
        drop(Client::take(client));
        // Those that wait beside it have the same fate, unless they have just been used.
        if let Some(pool) = pool {
            drop(pool.retain(|_, metrics| metrics.last_used() < FRESH));
        }
    }
}
