//! How far a migration is: a bar on a terminal, else a line now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use colloquy_sessions::transfer::{Kind, Position, Watch};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// How often a line comes where there is no bar.
const LINES: Duration = Duration::from_secs(2);

/// A walk over rows, of which there are about so many.
pub(crate) struct Progress {
    total: u64,
    done: AtomicU64,
    bar: Option<ProgressBar>,
    lines: Mutex<Lines>,
}

/// What the last line told.
struct Lines {
    doing: String,
    time: Instant,
    done: u64,
}

impl Progress {
    pub(crate) fn new(on_terminal: bool, total: u64) -> Self {
        let style = "{msg:<24} [{bar:30}] {human_pos}/{human_len} rows, {per_sec}, {eta} left";
        let bar = on_terminal.then(|| {
            let bar = ProgressBar::new(total);
            // The template is ours; were it wrong, the default one would do.
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        let lines = Lines { doing: String::new(), time: Instant::now(), done: 0 };
        Self { total, done: AtomicU64::new(0), bar, lines: Mutex::new(lines) }
    }

    /// Something else is being done, with so many rows behind it.
    pub(crate) fn go_on(&self, doing: &str, done: u64) {
        self.done.store(done, Ordering::Relaxed);
        match &self.bar {
            Some(bar) => {
                bar.set_message(doing.to_owned());
                bar.set_position(done);
            }
            None => {
                self.say(doing, done, None);
            }
        }
    }

    /// Only the rows behind it count for speed.
    fn begin_at(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.reset_eta();
        }
    }

    /// So many rows more.
    pub(crate) fn advance(&self, rows: usize) {
        let rows = rows as u64;
        let done = self.done.fetch_add(rows, Ordering::Relaxed) + rows;
        if let Some(bar) = &self.bar {
            bar.inc(rows);
            return;
        }
        let (doing, speed) = {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let elapsed = lines.time.elapsed();
            if elapsed < LINES {
                return;
            }
            (lines.doing.clone(), done.saturating_sub(lines.done) as f64 / elapsed.as_secs_f64())
        };
        self.say(&doing, done, Some(speed));
    }

    #[expect(clippy::print_stderr, reason = "this is what stderr is for; the result goes to stdout")]
    fn say(&self, doing: &str, done: u64, speed: Option<f64>) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) =
            Lines { doing: doing.to_owned(), time: Instant::now(), done };
        let (done, total) = (HumanCount(done), HumanCount(self.total));
        match speed {
            Some(speed) => eprintln!("{doing}: {done} of about {total} rows, {speed:.0} rows/s"),
            None => eprintln!("{doing}: {done} of about {total} rows"),
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The progress of a copy.
pub(crate) struct Copying {
    progress: Progress,
    kind: Option<Kind>,
    copied: u64,
}

impl Copying {
    pub(crate) fn new(progress: Progress) -> Self {
        Self { progress, kind: None, copied: 0 }
    }

    /// How many rows were copied.
    pub(crate) fn finish(self) -> u64 {
        self.progress.finish();
        self.copied
    }
}

impl Watch for Copying {
    fn begun(&mut self, from: &Position) {
        let doing = if from.rows == 0 { "beginning" } else { "going on" };
        self.progress.go_on(doing, from.rows);
        self.progress.begin_at(from.rows);
    }

    fn written(&mut self, kind: Kind, rows: usize) {
        if self.kind != Some(kind) {
            self.kind = Some(kind);
            let done = self.progress.done.load(Ordering::Relaxed);
            self.progress.go_on(&format!("copying {kind}"), done);
        }
        self.copied += rows as u64;
        self.progress.advance(rows);
    }
}
