//! Filling a server, as fast as it answers: many sessions of many users, long sessions.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use super::http1;
use super::load::{self, Protocol, Until};
use super::subject::Subject;
use crate::random::SplitMix;

/// How many connections fill.
const CLIENTS: usize = 128;
/// Each user has so many sessions: more than a page of a list holds.
const SESSIONS_OF_USER: usize = 200;

/// The resource name of a session that [`sessions`] makes.
pub(crate) fn session(engine: &str, number: usize) -> String {
    format!("{engine}/sessions/grown-{number}")
}

/// The user of a session.
pub(crate) fn user(number: usize, sessions: usize) -> String {
    // Neighbours in time are of different users.
    format!("grown-user-{}", number % (sessions / SESSIONS_OF_USER).max(1))
}

/// Makes so many sessions in the subject's engine.
pub(crate) fn sessions(subject: &Subject, count: usize) -> Result<()> {
    let address = subject.server.address()?;
    let request = |number: usize| {
        let body = format!("{{\"userId\":\"{}\"}}", user(number, count));
        http1::post(address, &format!("/v1beta1/{}/sessions?sessionId=grown-{number}", subject.engine), &body)
    };
    load::send_all(address, CLIENTS, count, request).context("cannot make sessions")
}

/// Appends so many events to each of some sessions.
pub(crate) fn events(subject: &Subject, sessions: &[String], count: usize) -> Result<()> {
    if sessions.is_empty() || count == 0 {
        return Ok(());
    }
    // So many clients for each session as share the count without a rest.
    let most = (CLIENTS / sessions.len()).max(1);
    let each = (1..=most).rev().find(|each| count.is_multiple_of(*each)).unwrap_or(1);
    let clients = sessions.len() * each;
    load::run(subject.server.address()?, Protocol::Rest, sessions, clients, Until::Count(count / each))
        .map(drop)
        .context("cannot fill sessions")
}

/// `count` different numbers below `end`, in no order but the same each time.
pub(crate) fn picked(count: usize, end: usize) -> Vec<usize> {
    let mut random = SplitMix::new(7);
    let mut seen = BTreeSet::new();
    let mut picked = Vec::new();
    while picked.len() < count.min(end) {
        let Ok(number) = usize::try_from(random.below(end as u64)) else { break };
        if seen.insert(number) {
            picked.push(number);
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_more_sessions_than_a_page_holds() {
        let of_first = (0..10_000).filter(|number| user(*number, 10_000) == user(0, 10_000)).count();
        assert_eq!(of_first, SESSIONS_OF_USER);
    }

    #[test]
    fn what_is_picked_is_picked_once() {
        let picked = picked(500, 1000);
        assert_eq!(picked.iter().collect::<BTreeSet<_>>().len(), 500);
        assert!(picked.iter().all(|number| *number < 1000));
        assert_eq!(super::picked(20, 10).len(), 10);
    }
}
