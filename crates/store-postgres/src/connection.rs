//! A connection out of the pool, which goes back only if it is fit for the next one.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use deadpool_postgres::Client;

use crate::error::{Attempt, Failure};

/// A connection in use. Whoever goes away in the middle, as at a deadline, closes it: the next one would wait for the
/// answers that nobody has read, and never get one where the other end is gone without a word.
#[derive(Debug)]
pub(crate) struct Connection {
    /// None once it was given back.
    client: Option<Client>,
    taken: Instant,
}

impl Connection {
    pub(crate) fn new(client: Client) -> Self {
        Self { client: Some(client), taken: Instant::now() }
    }

    /// Gives it back after what it was used for, or closes it where that failed in a way that the next would too.
    pub(crate) fn end<T>(mut self, done: Attempt<T>) -> Attempt<T> {
        if done.as_ref().err().is_none_or(Failure::leaves_the_connection) {
            drop(self.client.take());
        }
        done
    }
}

impl Deref for Connection {
    type Target = Client;

    #[expect(clippy::expect_used, reason = "it is there until this value ends")]
    fn deref(&self) -> &Client {
        self.client.as_ref().expect("a connection")
    }
}

impl DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "it is there until this value ends")]
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("a connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let pool = Client::pool(&client);
        drop(Client::take(client));
        // Those that wait beside it have the same fate, unless one has shown since that it has not.
        if let Some(pool) = pool {
            let since = self.taken.elapsed();
            drop(pool.retain(|_, metrics| metrics.last_used() < since));
        }
    }
}
