//! The coalescing writer: appends that wait are gathered into batches, each of which is one transaction. The cost of
//! a commit is shared by all that go with it.
//!
//! Batches run beside each other where they have no session, user or app in common, which they would only wait for in
//! the database. A session's appends keep the order in which they came to this node; between nodes the session's lock
//! in the database gives them one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use colloquy_sessions::store::{Append, Appended, StoreError, StoreResult};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::Options;
use crate::database::Database;
use crate::queue::{self, Claims, Queue, Weight};
use crate::session_keys::SessionKeys;
use crate::store::out_of_time;
use crate::write::events::Batch;

/// How many appends may come in while the queue is looked at.
const QUEUE: usize = 4096;
/// How many KiB of appends may wait or run.
const QUEUE_KIB: usize = 128 << 10;
/// A batch is closed once it holds so many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// About what an event takes besides its payload and delta.
const EVENT_BYTES: usize = 512;
/// Beside another batch, one begins that has as many events, and at least so many, or whose first one has waited twice
/// as long as batches take, and so long: a few large batches cost less than many small ones, and a disk that is slow
/// to sync takes one about as fast as two.
const COMPANY: usize = 32;
const PATIENCE: Duration = Duration::from_millis(2);
const LONGEST_PATIENCE: Duration = Duration::from_millis(50);
/// The longest that a batch waits for company where no other one is under way, and how much of it is worth that.
const LONGEST_GATHERING: Duration = Duration::from_millis(1);
const GATHERED: usize = 64;

/// An append that waits, and the way back.
struct Job {
    append: Append,
    claims: Claims,
    weight: Weight,
    since: Instant,
    answer: Answer,
}

struct Answer {
    sender: oneshot::Sender<StoreResult<Vec<Appended>>>,
    _room: OwnedSemaphorePermit,
}

/// The way to the writer.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    room: Arc<Semaphore>,
    sessions: Arc<SessionKeys>,
}

impl Writer {
    /// Starts its task.
    pub(crate) fn start(database: &Database, sessions: &Arc<SessionKeys>, options: &Options) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let lane =
            Lane { database: database.clone(), sessions: Arc::clone(sessions), deadline: options.deadline };
        let (ended, ends) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher {
            lane,
            queue: Queue::default(),
            limit: Weight { events: options.max_batch.max(1), bytes: BATCH_BYTES },
            lanes: options.writers.max(1),
            busy: 0,
            looked: Look { at: Instant::now(), left: 0 },
            begun: 0,
            took: Duration::ZERO,
            gathering: Gathering { target: 0, until: Instant::now() },
            ended,
        };
        Self {
            jobs: Mutex::new(Some(sender)),
            task: Mutex::new(Some(tokio::spawn(dispatcher.run(receiver, ends)))),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
            sessions: Arc::clone(sessions),
        }
    }

    /// Appends events; comes back when they are committed. They are appended also if the caller goes away meanwhile.
    pub(crate) async fn append(&self, append: Append) -> StoreResult<Vec<Appended>> {
        let since = Instant::now();
        let weight = weight(&append);
        let kib = u32::try_from((weight.bytes / 1024 + 1).min(QUEUE_KIB)).unwrap_or(1);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| closed())?;
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(closed)?;
        let (sender, answered) = oneshot::channel();
        let answer = Answer { sender, _room: room };
        let claims = self.claims(&append);
        jobs.send(Job { append, claims, weight, since, answer }).await.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// What the database would lock. Whose a session is may not be known yet: then batches meet there.
    fn claims(&self, append: &Append) -> Claims {
        let session = self.sessions.hash(&append.session);
        let Some(owners) = self.sessions.get(&append.session) else { return [session; 3] };
        let any = |is: fn(&colloquy_sessions::store::NewEvent) -> bool| append.events.iter().any(is);
        let app = any(|event| !event.delta.app.is_empty()).then(|| key_hash(owners.engine_key));
        let user = any(|event| !event.delta.user.is_empty()).then(|| key_hash(owners.user_key));
        [session, user.unwrap_or(session), app.unwrap_or(session)]
    }

    /// Commits what is waiting, and takes no more.
    pub(crate) async fn stop(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer did not end in order");
        }
    }
}

/// Keys of rows are random, and so as good as their hashes.
fn key_hash(key: i64) -> u64 {
    key.cast_unsigned()
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

fn weight(append: &Append) -> Weight {
    let bytes = append.events.iter().map(|event| EVENT_BYTES + event.payload.len() + event.delta.bytes());
    Weight { events: append.events.len(), bytes: bytes.sum() }
}

/// The task that makes batches.
struct Dispatcher {
    lane: Lane,
    queue: Queue<(Append, Answer)>,
    limit: Weight,
    /// How many batches may run.
    lanes: usize,
    busy: usize,
    looked: Look,
    /// How many events the last batch has that has begun.
    begun: usize,
    /// How long the last batch took that has ended.
    took: Duration,
    gathering: Gathering,
    ended: mpsc::UnboundedSender<End>,
}

/// The last look for a batch that could begin beside others: when it was, and how many events it left.
struct Look {
    at: Instant,
    left: usize,
}

/// How long a batch waits for more company. Whoever was just answered is likely to ask again at once; without
/// waiting a moment, they and those who came meanwhile would take turns, each with a commit of their own.
struct Gathering {
    /// So many events make a batch that is worth it.
    target: usize,
    /// Time is lost no longer than this.
    until: Instant,
}

impl Gathering {
    /// After a batch of so many events that has just ended, while others had come. One alone is never kept waiting.
    fn after(answered: usize, waiting: usize, took: Duration) -> Self {
        Self {
            target: ((answered + waiting) * 3 / 4).min(GATHERED),
            until: Instant::now() + (took / 2).min(LONGEST_GATHERING),
        }
    }
}

impl Dispatcher {
    /// Runs until no more appends come, and all are done.
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>, mut ends: mpsc::UnboundedReceiver<End>) {
        let mut arrived = Vec::new();
        let mut is_open = true;
        while is_open || self.busy > 0 || !self.queue.is_empty() {
            let due = self.due();
            tokio::select! {
                biased;
                Some(end) = ends.recv() => {
                    self.busy = self.busy.saturating_sub(1);
                    self.queue.release(&end.claims);
                    self.looked.left = 0;
                    self.took = end.begun.elapsed();
                    self.gathering = Gathering::after(end.events, self.queue.events(), self.took);
                }
                count = jobs.recv_many(&mut arrived, QUEUE), if is_open => {
                    is_open = count > 0;
                    for Job { append, claims, weight, since, answer } in arrived.drain(..) {
                        self.queue.push((append, answer), claims, weight, since);
                    }
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {}
            }
            self.begin();
        }
    }

    /// When a batch is to begin, however small.
    fn due(&self) -> Option<Instant> {
        let oldest = self.queue.oldest()?;
        match self.busy {
            0 => Some(self.gathering.until),
            busy if busy < self.lanes => {
                let patience = (self.took * 2).clamp(PATIENCE, LONGEST_PATIENCE);
                Some(oldest.max(self.looked.at) + patience)
            }
            _ => None,
        }
    }

    /// Begins what batches it can.
    fn begin(&mut self) {
        while let Some(due) = self.due() {
            let now = Instant::now();
            let events = self.queue.events();
            let beside = self.begun.max(COMPANY);
            let company = if self.busy == 0 { self.gathering.target } else { self.looked.left + beside };
            if events < company && now < due {
                return;
            }
            let least = if self.busy > 0 && now < due { beside } else { 1 };
            let batch = self.queue.take(least, self.limit);
            self.looked = Look { at: now, left: self.queue.events() };
            let Some(queue::Batch { writes, claims, events }) = batch else { return };
            self.begun = events;
            self.busy += 1;
            let end = End { claims, events, begun: now };
            let end = Ending { end: Some(end), ended: self.ended.clone() };
            tokio::spawn(self.lane.clone().run(writes, end));
        }
    }
}

/// A batch that has ended.
struct End {
    claims: HashSet<u64>,
    events: usize,
    begun: Instant,
}

/// Tells the dispatcher that a batch has ended, in whatever way.
struct Ending {
    end: Option<End>,
    ended: mpsc::UnboundedSender<End>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // Without a dispatcher nobody wants to know.
            let _ = self.ended.send(end);
        }
    }
}

/// Runs batches.
#[derive(Clone)]
struct Lane {
    database: Database,
    sessions: Arc<SessionKeys>,
    deadline: Duration,
}

impl Lane {
    async fn run(self, writes: Vec<(Append, Answer)>, ending: Ending) {
        let (appends, answers): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        let results = self.append(&appends).await;
        drop(appends);
        for (Answer { sender, _room: room }, result) in answers.into_iter().zip(results) {
            drop(room);
            // Whoever asked may be gone.
            let _ = sender.send(result);
        }
        drop(ending);
    }

    /// Appends in one transaction. Where one append is more than the database can take, the others do without it.
    async fn append(&self, appends: &[Append]) -> Vec<StoreResult<Vec<Appended>>> {
        match self.attempt(appends).await {
            Err(Failed { is_defect: true, .. }) if appends.len() > 1 => {
                let mut results = Vec::with_capacity(appends.len());
                for append in appends {
                    let alone = self.attempt(std::slice::from_ref(append)).await;
                    results.push(match alone {
                        Ok(answers) => answers.into_iter().next().unwrap_or_else(|| Err(closed())),
                        Err(Failed { error, .. }) => Err(error),
                    });
                }
                results
            }
            Ok(answers) => answers,
            Err(Failed { error, .. }) => appends.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn attempt(&self, appends: &[Append]) -> Result<Vec<StoreResult<Vec<Appended>>>, Failed> {
        let batch = Batch { appends, sessions: &self.sessions };
        match tokio::time::timeout(self.deadline, self.database.exchange(&batch)).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(failure)) => {
                Err(Failed { is_defect: failure.is_defect(), error: failure.into_store_error() })
            }
            Err(_) => Err(Failed { is_defect: false, error: out_of_time() }),
        }
    }
}

/// Why a batch was not committed.
struct Failed {
    is_defect: bool,
    error: StoreError,
}
