//! Transactions in two exchanges with the database: one sends all that is to be locked and read, the other all that is
//! to be written and the commit. Neither statements nor the edges of the transaction wait for an answer of their own.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use deadpool_postgres::Client;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Statement};

use crate::connection::Connection;
use crate::database::{Database, Parameter, TRIES, rest};
use crate::error::Attempt;
use crate::protocol::Protocol;
use crate::transaction::Transaction;

/// Read committed, whatever the database's default: locks say what must stay as it is, and what is read behind a lock
/// is as whoever held it before has left it.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// A write in two exchanges. May be run more than once; what is not committed when it ends is rolled back.
pub(crate) trait Exchange: Sync {
    type Output: Send;

    fn run(&self, pipeline: &mut Pipeline) -> impl Future<Output = Attempt<Self::Output>> + Send;
}

/// A statement with what it is given.
pub(crate) struct Step<'a> {
    sql: Cow<'static, str>,
    parameters: Vec<Box<dyn ToSql + Sync + Send + 'a>>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), parameters: Vec::new() }
    }

    /// Adds the next parameter.
    pub(crate) fn with(mut self, parameter: impl ToSql + Sync + Send + 'a) -> Self {
        self.parameters.push(Box::new(parameter));
        self
    }

    fn parameters(&self) -> Vec<Parameter<'_>> {
        self.parameters.iter().map(|parameter| &**parameter as Parameter<'_>).collect()
    }
}

/// Statements that go out together, and take effect in this order.
#[derive(Default)]
pub(crate) struct Steps<'a>(Vec<Step<'a>>);

/// Where the answer to a step will be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl<'a> Steps<'a> {
    pub(crate) fn add(&mut self, step: Step<'a>) -> Place {
        self.0.push(step);
        Place(self.0.len() - 1)
    }

    pub(crate) fn add_if(&mut self, step: Option<Step<'a>>) -> Option<Place> {
        step.map(|step| self.add(step))
    }

    /// Runs them one by one in a transaction that is open elsewhere.
    pub(crate) async fn run(&self, transaction: &Transaction<'_>) -> Attempt<Answers> {
        let mut answers = Vec::with_capacity(self.0.len());
        for step in &self.0 {
            answers.push(transaction.query(&step.sql, &step.parameters()).await?);
        }
        Ok(Answers(answers))
    }
}

/// The rows that the steps gave.
pub(crate) struct Answers(Vec<Vec<Row>>);

impl Answers {
    pub(crate) fn of(&self, place: Place) -> &[Row] {
        self.0.get(place.0).map_or(&[], Vec::as_slice)
    }

    /// None where nothing was asked.
    pub(crate) fn of_any(&self, place: Option<Place>) -> &[Row] {
        place.map_or(&[], |place| self.of(place))
    }
}

/// A connection with the transaction that is open on it, if one is.
pub(crate) struct Pipeline {
    client: Option<Connection>,
    protocol: Arc<Protocol>,
    is_open: bool,
    /// Whether answers are still due.
    is_asked: bool,
    has_written: bool,
}

/// A statement as it is sent: by the name that it has on this connection, or with its text, for which the types of its
/// parameters must be known.
enum Sent<'p> {
    Named(Statement, Vec<Parameter<'p>>),
    Typed(&'p str, Vec<(Parameter<'p>, Type)>),
}

impl Pipeline {
    fn new(client: Connection, protocol: &Arc<Protocol>) -> Self {
        let protocol = Arc::clone(protocol);
        Self { client: Some(client), protocol, is_open: false, is_asked: false, has_written: false }
    }

    /// Reads before the transaction.
    pub(crate) async fn ask(&mut self, mut steps: Steps<'_>) -> Attempt<Answers> {
        if !self.protocol.is_pooled() {
            return self.send(&steps.0).await.map(Answers);
        }
        // Settings hold within a transaction only.
        steps.add(Step::new(COMMIT));
        let answers = self.begin(steps).await?;
        self.is_open = false;
        Ok(answers)
    }

    /// Opens a transaction with its first steps.
    pub(crate) async fn begin(&mut self, steps: Steps<'_>) -> Attempt<Answers> {
        let mut all = vec![Step::new(BEGIN)];
        all.extend(self.protocol.transaction_settings().map(Step::new));
        let begun = all.len();
        all.extend(steps.0);
        let mut rows = self.send(&all).await?;
        Ok(Answers(rows.split_off(begun)))
    }

    /// Writes and commits. If one of the steps fails, PostgreSQL makes the commit a rollback.
    pub(crate) async fn commit(&mut self, mut steps: Steps<'_>) -> Attempt<()> {
        steps.add(Step::new(COMMIT));
        self.send(&steps.0).await?;
        self.is_open = false;
        self.has_written = true;
        Ok(())
    }

    /// Ends the transaction, if one is open.
    pub(crate) async fn roll_back(&mut self) -> Attempt<()> {
        if self.is_open {
            self.send(&[Step::new(ROLLBACK)]).await?;
            self.is_open = false;
        }
        Ok(())
    }

    async fn send(&mut self, steps: &[Step<'_>]) -> Attempt<Vec<Vec<Row>>> {
        let Some(client) = &self.client else { return Ok(Vec::new()) };
        self.is_asked = true;
        // Before the first one is sent: who waits to know a statement must not be overtaken.
        let was_open = self.is_open;
        let sent = if self.protocol.is_pooled() {
            // Whoever gives this up may leave a transaction open.
            self.is_open = true;
            typed(&self.protocol, client, steps, was_open).await?
        } else {
            named(client, steps).await?
        };
        // From here on, whoever gives this up does not know how far it has come.
        self.is_open = was_open || steps.first().is_some_and(|step| step.sql == BEGIN);
        let asked = sent.iter().map(|sent| async move {
            match sent {
                Sent::Named(statement, parameters) => client.query(statement, parameters).await,
                Sent::Typed(sql, parameters) => client.query_typed(sql, parameters).await,
            }
        });
        let answers = all_in_order(asked.map(Box::pin).collect()).await;
        self.is_asked = false;
        // The first error is the cause of those behind it.
        answers.into_iter().map(|rows| Ok(rows?)).collect()
    }
}

/// As it is sent where nothing may stay on a connection. What types parameters have, the database is asked once.
async fn typed<'p>(
    protocol: &Protocol,
    client: &Client,
    steps: &'p [Step<'_>],
    is_open: bool,
) -> Attempt<Vec<Sent<'p>>> {
    let mut sent = Vec::with_capacity(steps.len());
    for step in steps {
        let types = match protocol.types(&step.sql) {
            Some(types) => types,
            None if step.parameters.is_empty() => Arc::default(),
            None => learn(protocol, client, &step.sql, is_open).await?,
        };
        let parameters = step.parameters().into_iter().zip(types.iter().cloned()).collect();
        sent.push(Sent::Typed(&step.sql, parameters));
    }
    Ok(sent)
}

/// Within a transaction: the statement has a name only until its answer is there, and settings say what it means.
async fn learn(protocol: &Protocol, client: &Client, sql: &str, is_open: bool) -> Attempt<Arc<[Type]>> {
    if !is_open {
        client.batch_execute(BEGIN).await?;
        if let Some(settings) = protocol.transaction_settings() {
            client.batch_execute(&settings).await?;
        }
    }
    let types = client.prepare(sql).await.map(|statement| protocol.learn(sql, statement.params()))?;
    if !is_open {
        client.batch_execute(ROLLBACK).await?;
    }
    Ok(types)
}

async fn named<'p>(client: &Client, steps: &'p [Step<'_>]) -> Attempt<Vec<Sent<'p>>> {
    let mut sent = Vec::with_capacity(steps.len());
    for step in steps {
        sent.push(Sent::Named(client.prepare_cached(&step.sql).await?, step.parameters()));
    }
    Ok(sent)
}

impl Drop for Pipeline {
    /// What somebody gave up takes its connection along: it may still be under way.
    fn drop(&mut self) {
        if self.is_open || self.is_asked {
            self.give_up();
        } else if let Some(client) = self.client.take() {
            drop(client.end(Ok(())));
        }
    }
}

impl Pipeline {
    /// Closes the connection.
    fn give_up(&mut self) {
        drop(self.client.take());
    }
}

/// Runs futures at the same time, each begun after those before it, and each run to its end. The client sends what a
/// future asks for when that is first polled.
async fn all_in_order<F: Future>(futures: Vec<Pin<Box<F>>>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    let mut is_begun = false;
    poll_fn(|context: &mut Context<'_>| {
        let mut all = Poll::Ready(());
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(ready) => *output = Some(ready),
                    // Answers come in the order of what was asked.
                    Poll::Pending if is_begun => return Poll::Pending,
                    Poll::Pending => all = Poll::Pending,
                }
            }
        }
        is_begun = true;
        all
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

impl Database {
    /// Runs an exchange, as [`Database::write`] runs a command: what met others is tried again, what was lost is not.
    pub(crate) async fn exchange<E: Exchange>(&self, exchange: &E) -> Attempt<E::Output> {
        let mut pipeline = Pipeline::new(self.client().await?, &self.protocol);
        let (mut tried, mut has_moved) = (0, false);
        loop {
            let done = exchange.run(&mut pipeline).await;
            // Where this fails the connection is of no use, and goes with the transaction.
            let ended = pipeline.roll_back().await;
            match done {
                Err(failure) if failure.is_conflict() && tried < TRIES && ended.is_ok() => {
                    tried += 1;
                    tokio::time::sleep(rest(tried)).await;
                }
                Err(failure) if failure.is_read_only() && !has_moved => {
                    pipeline.give_up();
                    has_moved = true;
                    pipeline = Pipeline::new(self.client().await?, &self.protocol);
                }
                Err(failure) => {
                    if !failure.leaves_the_connection() {
                        pipeline.give_up();
                    }
                    self.room.note(&failure);
                    return Err(failure);
                }
                Ok(output) => {
                    if pipeline.has_written {
                        self.room.is_there();
                    }
                    return Ok(output);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn what_is_asked_goes_out_in_order_and_at_once() {
        let log = Mutex::new(Vec::new());
        let (sender, _) = tokio::sync::broadcast::channel::<()>(1);
        let futures = (0..3).map(|number| {
            let (log, mut receiver) = (&log, sender.subscribe());
            async move {
                log.lock().unwrap().push(format!("asked {number}"));
                receiver.recv().await.unwrap();
                number
            }
        });
        let all = all_in_order(futures.map(Box::pin).collect());
        let (numbers, ()) = tokio::join!(all, async {
            // All were asked before the first one was answered.
            assert_eq!(*log.lock().unwrap(), ["asked 0", "asked 1", "asked 2"]);
            sender.send(()).unwrap();
        });
        assert_eq!(numbers, [0, 1, 2]);
    }
}
