//! A server that is measured, with an engine and sessions to append to.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::figures::Sample;
use super::load::{self, Protocol, Until};
use super::process;
use crate::rest::Rest;
use crate::server::{QUIET, Server};
use crate::workspace::Scratch;

/// The server, and what it was started with.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The process.
    pub server: Server,
    /// The engine that everything is in.
    pub engine: String,
    /// Sessions that clients append to in turn.
    pub sessions: Vec<String>,
    binary: PathBuf,
    flags: Vec<String>,
    /// Goes after the server.
    data: Scratch,
}

impl Subject {
    /// Starts one with an empty store and makes an engine with `sessions` sessions.
    pub(crate) fn start(binary: &Path, data: Scratch, more: &[&str], sessions: usize) -> Result<Self> {
        let flags: Vec<String> = QUIET.iter().chain(more).map(ToString::to_string).collect();
        let server = launch(binary, &data.path, &flags)?;
        let rest = Rest::new(&server.url);
        let engine = rest.create_engine().context("cannot create an engine")?;
        let mut subject =
            Self { server, engine, sessions: Vec::new(), binary: binary.to_owned(), flags, data };
        for number in 0..sessions {
            let made = rest.create_session(&subject.engine, &format!("bench-{number}"), &user(number));
            subject.sessions.push(made.context("cannot create a session")?);
        }
        Ok(subject)
    }

    /// Appends to its sessions.
    pub(crate) fn measure(&self, protocol: Protocol, clients: usize, until: Until) -> Result<Sample> {
        self.measure_on(&self.sessions, protocol, clients, until)
    }

    /// Appends to sessions of choice.
    pub(crate) fn measure_on(
        &self,
        sessions: &[String],
        protocol: Protocol,
        clients: usize,
        until: Until,
    ) -> Result<Sample> {
        let before = process::cpu(self.server.id())?;
        let mut sample = load::run(self.server.address()?, protocol, sessions, clients, until)?;
        sample.cpu = process::cpu(self.server.id())?.saturating_sub(before);
        Ok(sample)
    }

    /// Ends the server in order, starts it again on what it stored, and tells how long it took from the start of the
    /// process to the first answer, of a session.
    pub(crate) fn restart(self) -> Result<(Self, Duration)> {
        let Self { server, engine, sessions, binary, flags, data } = self;
        server.stop()?;
        let began = Instant::now();
        let server = launch(&binary, &data.path, &flags)?;
        let first = sessions.first().context("there is no session to ask for")?;
        Rest::new(&server.url).get(first).context("the first answer")?;
        let took = began.elapsed();
        Ok((Self { server, engine, sessions, binary, flags, data }, took))
    }

    /// Where the data directory is.
    pub(crate) fn data_directory(&self) -> PathBuf {
        self.data.path.join("data")
    }
}

fn launch(binary: &Path, folder: &Path, flags: &[String]) -> Result<Server> {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Server::start(binary, &folder.join("data"), &flags)
}

/// The user of a session that is made for appends: some have several.
fn user(number: usize) -> String {
    format!("user-{}", number % 16)
}
