//! A clock that the server reads and the program sets: Debian's libfaketime, loaded into the server's process. It is told
//! what time it is by a file, and stands still in between. Clocks that nobody can set, by which timers run, stay true.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::debian;
use crate::server::{QUIET, Server, serve_arguments};

/// Where Debian puts libraries: in a folder for each kind of machine.
const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The clock of one server.
#[derive(Debug)]
pub(super) struct FakeClock {
    library: PathBuf,
    file: PathBuf,
    micros: i64,
}

impl FakeClock {
    /// A clock that is kept in a folder, at some microseconds since 1970.
    pub(super) fn new(folder: &Path, micros: i64) -> Result<Self> {
        let mut clock = Self { library: find_or_install()?, file: folder.join("clock"), micros };
        clock.set(micros)?;
        Ok(clock)
    }

    /// What it says, in microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.micros
    }

    /// Sets it.
    pub(super) fn set(&mut self, micros: i64) -> Result<()> {
        let time = jiff::Timestamp::from_microsecond(micros)?;
        // The library reads a fraction as a float: half a microsecond more makes it the right one.
        let fraction = micros.rem_euclid(1_000_000);
        let text = format!("{}.{fraction:06}5\n", time.strftime("%Y-%m-%d %H:%M:%S"));
        // Whoever reads meanwhile finds the old file or the new one, whole.
        let new = self.file.with_extension("new");
        std::fs::write(&new, text).with_context(|| format!("cannot write {}", new.display()))?;
        std::fs::rename(&new, &self.file)?;
        self.micros = micros;
        Ok(())
    }

    /// Moves it on.
    pub(super) fn pass(&mut self, time: Duration) -> Result<()> {
        self.set(self.micros + i64::try_from(time.as_micros())?)
    }

    /// Moves it back.
    pub(super) fn go_back(&mut self, time: Duration) -> Result<()> {
        self.set(self.micros - i64::try_from(time.as_micros())?)
    }

    /// Starts a server that has this clock.
    pub(super) fn start(&self, binary: &Path, data: &Path) -> Result<Server> {
        let mut command = Command::new(binary);
        command
            .args(serve_arguments(data, &QUIET))
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
            .env("TZ", "UTC");
        Server::run(command, data)
    }
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if debian::can_install() {
        debian::install(&["faketime"])?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    bail!("there is no libfaketime to set the server's clock with: install Debian's faketime")
}

fn find() -> Option<PathBuf> {
    let folders = std::fs::read_dir(LIBRARIES).into_iter().flatten().filter_map(Result::ok);
    folders.map(|folder| folder.path().join(LIBRARY)).find(|library| library.is_file())
}
