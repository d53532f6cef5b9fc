//! The coalescing writers: a few tasks, each of which takes the appends that are waiting, runs them in one transaction,
//! and then answers. The cost of a commit is shared by all that waited for the last one.
//!
//! A session's appends always go to the same task, which keeps their order on this node; between nodes the session's
//! lock in the database does.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use colloquy_sessions::store::{Appended, StoreError, StoreResult};
use resource_names::SessionName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::Options;
use crate::database::Database;
use crate::engine_keys::EngineKeys;
use crate::store::out_of_time;
use crate::write::events::{Batch, NewEvent};

/// How many appends may wait for each task.
const QUEUE: usize = 1024;
/// How many KiB of appends may wait or run.
const QUEUE_KIB: usize = 128 << 10;
/// A batch is closed once it holds so many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// About what an append takes besides its payload and delta.
const APPEND_BYTES: usize = 512;

/// An append that waits, and the way back.
struct Job {
    event: NewEvent,
    answer: oneshot::Sender<StoreResult<Appended>>,
    _room: OwnedSemaphorePermit,
}

/// The way to the tasks.
#[derive(Debug)]
pub(crate) struct Writers {
    queues: Mutex<Vec<mpsc::Sender<Job>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    room: Arc<Semaphore>,
}

impl Writers {
    /// Starts the tasks.
    pub(crate) fn start(database: &Database, engines: &Arc<EngineKeys>, options: &Options) -> Self {
        let (mut queues, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..options.writers.max(1) {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let writer = Writer {
                database: database.clone(),
                engines: Arc::clone(engines),
                max_batch: options.max_batch.max(1),
                deadline: options.deadline,
            };
            tasks.push(tokio::spawn(writer.run(receiver)));
            queues.push(sender);
        }
        Self {
            queues: Mutex::new(queues),
            tasks: Mutex::new(tasks),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
        }
    }

    /// Appends an event; comes back when it is committed. It is appended also if the caller goes away meanwhile.
    pub(crate) async fn append(&self, event: NewEvent) -> StoreResult<Appended> {
        let kib = u32::try_from((bytes(&event) / 1024 + 1).min(QUEUE_KIB)).unwrap_or(1);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| closed())?;
        let queue = self.queue(&event.session).ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        queue.send(Job { event, answer, _room: room }).await.map_err(|_| closed())?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// The queue of a session.
    fn queue(&self, session: &SessionName) -> Option<mpsc::Sender<Job>> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = DefaultHasher::new();
        session.hash(&mut hasher);
        let shard = usize::try_from(hasher.finish() % u64::try_from(queues.len().max(1)).unwrap_or(1));
        queues.get(shard.unwrap_or(0)).cloned()
    }

    /// Commits what is waiting, and takes no more.
    pub(crate) async fn stop(&self) {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a writer did not end in order");
            }
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

fn bytes(event: &NewEvent) -> usize {
    APPEND_BYTES + event.payload.len() + event.delta.bytes()
}

/// One of the tasks.
struct Writer {
    database: Database,
    engines: Arc<EngineKeys>,
    max_batch: usize,
    deadline: std::time::Duration,
}

impl Writer {
    /// Runs until the queue is closed and empty.
    async fn run(self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = queue.recv().await {
            let (mut events, mut answers) = (Vec::new(), Vec::new());
            let mut size = 0;
            let mut next = Some(first);
            while let Some(Job { event, answer, _room }) = next {
                size += bytes(&event);
                events.push(event);
                answers.push((answer, _room));
                let is_full = events.len() >= self.max_batch || size >= BATCH_BYTES;
                next = if is_full { None } else { queue.try_recv().ok() };
            }
            let results = self.append(&events).await;
            for ((answer, room), result) in answers.into_iter().zip(results) {
                drop(room);
                // Whoever asked may be gone.
                let _ = answer.send(result);
            }
        }
    }

    /// Appends in one transaction. Where one event is more than the database can take, the others do without it.
    async fn append(&self, events: &[NewEvent]) -> Vec<StoreResult<Appended>> {
        match self.attempt(events).await {
            Err(Failed { is_defect: true, .. }) if events.len() > 1 => {
                let mut results = Vec::with_capacity(events.len());
                for event in events {
                    let alone = self.attempt(std::slice::from_ref(event)).await;
                    results.push(match alone {
                        Ok(answers) => answers.into_iter().next().unwrap_or_else(|| Err(closed())),
                        Err(Failed { error, .. }) => Err(error),
                    });
                }
                results
            }
            Ok(answers) => answers,
            Err(Failed { error, .. }) => events.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn attempt(&self, events: &[NewEvent]) -> Result<Vec<StoreResult<Appended>>, Failed> {
        let batch = Batch { events, engines: &self.engines };
        match tokio::time::timeout(self.deadline, self.database.write(&batch)).await {
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
