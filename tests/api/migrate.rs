//! `colloquy migrate`: a server on the new store answers as the one on the old store did.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::random_json::RandomJson;
use crate::schema::Schema;
use crate::server::{LOCATION, Server, command, event};

/// Where a store is kept.
enum Site {
    Directory(TempDir),
    Postgres(Schema),
}

impl Site {
    fn directory() -> Self {
        Self::Directory(TempDir::new().unwrap())
    }

    /// What `TEST_STORE` asks for.
    fn asked() -> Self {
        Schema::if_asked().map_or_else(Self::directory, Self::Postgres)
    }

    /// As it is named on the command line.
    fn name(&self) -> String {
        match self {
            Self::Directory(directory) => format!("sqlite:{}", directory.path().display()),
            Self::Postgres(schema) => schema.url(),
        }
    }

    fn serve(&self) -> Command {
        let mut command = command();
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        match self {
            Self::Directory(directory) => command.arg("--data-dir").arg(directory.path()),
            Self::Postgres(schema) => command.args(["--store", &schema.url()]),
        };
        command
    }

    fn start(&self) -> Server {
        Server::run(self.serve())
    }

    /// What a server says that does not start on it.
    fn refusal(&self) -> String {
        let Output { status, stderr, .. } = self.serve().stderr(Stdio::piped()).output().unwrap();
        assert!(!status.success(), "a server starts");
        String::from_utf8(stderr).unwrap()
    }
}

fn migrate(from: &str, to: &str) -> Command {
    let mut command = command();
    command.args(["migrate", "--from", from, "--to", to]).stderr(Stdio::piped());
    command
}

/// Moves everything; what was printed, and what was said meanwhile.
fn migrated(from: &Site, to: &Site) -> (String, String) {
    let Output { status, stdout, stderr } = migrate(&from.name(), &to.name()).output().unwrap();
    let (printed, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{said}{printed}");
    (printed, said)
}

/// What is said where nothing is moved.
fn refused(from: &str, to: &str) -> String {
    let Output { status, stdout, stderr } = migrate(from, to).output().unwrap();
    assert!(!status.success());
    assert_eq!(String::from_utf8(stdout).unwrap(), "");
    String::from_utf8(stderr).unwrap()
}

fn stop(server: Server) {
    assert!(server.stop(Signal::TERM).success());
}

/// Writes something of everything, through both versions.
fn fill(server: &Server, seed: u64) {
    let mut random = RandomJson::new(seed);
    let mut sessions = Vec::new();
    for number in 0..2 {
        let version = random.one_of(&["v1", "v1beta1"]);
        let body = json!({
            "displayName": random.text(), "description": random.text(), "labels": {"number": number.to_string()},
            "spec": {"agentFramework": "custom", "classMethods": [{"name": random.text()}]},
        });
        let made = server.post(&format!("/{version}/{LOCATION}/reasoningEngines"), &body).ok();
        let engine = made["response"]["name"].as_str().unwrap().to_owned();
        let update = json!({"displayName": random.text()});
        server.patch(&format!("/{version}/{engine}?updateMask=displayName"), &update).ok();
        for user in ["alice", "bob", "größe/1"] {
            for _ in 0..2 {
                let version = random.one_of(&["v1", "v1beta1"]);
                let body = json!({
                    "userId": user, "displayName": random.text(), "labels": {"env": "prod"},
                    "ttl": format!("{}s", 90_000 + random.number(1_000_000)), "sessionState": random.state(),
                });
                let made = server.post(&format!("/{version}/{engine}/sessions"), &body).ok();
                sessions.push(made["response"]["name"].as_str().unwrap().to_owned());
            }
        }
    }
    for round in 0..300 {
        let session = &sessions[random.index(sessions.len())];
        let time = format!("2026-01-0{}T00:00:00.{:06}Z", 1 + random.number(9), random.number(1_000_000));
        let mut event = event(&time, &random.state());
        event["content"]["parts"] =
            json!([{"text": random.text()}, {"functionCall": {"name": "f", "args": random.state()}}]);
        event["author"] = json!(random.text() + "a");
        event["invocationId"] = json!(format!("invocation {round}"));
        let version = random.one_of(&["v1", "v1beta1"]);
        server.post(&format!("/{version}/{session}:appendEvent"), &event).ok();
    }
    // About the largest that is stored.
    let mut large = event("2025-12-31T23:59:00Z", &json!({}));
    large["content"]["parts"][0]["text"] = json!("x".repeat((4 << 20) - 4_096));
    server.post(&format!("/v1/{}:appendEvent", sessions[1]), &large).ok();
    server.patch(&format!("/v1/{}?updateMask=displayName", sessions[2]), &json!({"displayName": "new"})).ok();
    server.delete(&format!("/v1beta1/{}", sessions.pop().unwrap())).ok();
    server.delete(&format!("/v1/{}", sessions.pop().unwrap())).ok();
}

/// Appends as one that may be sent again.
fn append_once(server: &Server, session: &str) {
    let path = format!("/v1/{session}:appendEvent?requestId=request-1");
    server.post(&path, &event("2026-01-01T00:00:00Z", &json!({"once": true}))).ok();
}

/// Every list and every get, in both versions, by their paths.
fn everything(server: &Server) -> BTreeMap<String, Value> {
    let mut seen = BTreeMap::new();
    for version in ["v1", "v1beta1"] {
        let engines = list(
            server,
            &format!("/{version}/{LOCATION}/reasoningEngines"),
            "reasoningEngines",
            "",
            &mut seen,
        );
        operations(server, version, LOCATION, &mut seen);
        for engine in names(&engines) {
            get(server, format!("/{version}/{engine}"), &mut seen);
            operations(server, version, &engine, &mut seen);
            let path = format!("/{version}/{engine}/sessions");
            for order in ["", "create_time", "update_time%20desc"] {
                list(server, &path, "sessions", &format!("orderBy={order}&pageSize=3"), &mut seen);
            }
            list(server, &path, "sessions", "filter=user_id=alice", &mut seen);
            for session in names(&list(server, &path, "sessions", "", &mut seen)) {
                get(server, format!("/{version}/{session}"), &mut seen);
                operations(server, version, &session, &mut seen);
                let path = format!("/{version}/{session}/events");
                list(server, &path, "sessionEvents", "", &mut seen);
                list(server, &path, "sessionEvents", "orderBy=timestamp%20desc&pageSize=70", &mut seen);
            }
        }
    }
    seen
}

fn operations(server: &Server, version: &str, parent: &str, seen: &mut BTreeMap<String, Value>) {
    let all = list(server, &format!("/{version}/{parent}/operations"), "operations", "", seen);
    for name in names(&all) {
        get(server, format!("/{version}/{name}"), seen);
    }
}

fn get(server: &Server, path: String, seen: &mut BTreeMap<String, Value>) {
    let answer = server.get(&path).ok();
    seen.insert(path, answer);
}

fn list(
    server: &Server,
    path: &str,
    member: &str,
    query: &str,
    seen: &mut BTreeMap<String, Value>,
) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{path}?{query}&pageToken={token}")).ok();
        all.extend(page[member].as_array().cloned().unwrap_or_default());
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    seen.insert(format!("{path}?{query}"), Value::Array(all.clone()));
    all
}

fn names(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// Both hold the same; a difference is told by its path.
fn assert_same(found: &BTreeMap<String, Value>, expected: &BTreeMap<String, Value>) {
    for (path, answer) in expected {
        assert!(
            found.get(path) == Some(answer),
            "{path}\n  answers {:?}\n  not     {answer}",
            found.get(path)
        );
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn every_answer_is_the_same_on_the_new_store_and_back_on_the_old_kind() {
    let (first, second, third, last) = (Site::directory(), Site::asked(), Site::asked(), Site::directory());
    let server = first.start();
    fill(&server, 7);
    let session = server.session();
    append_once(&server, &session);
    let before = everything(&server);
    stop(server);
    assert!(before.len() > 130, "{}", before.len());
    let mut tables = Vec::new();
    for (from, to) in [(&first, &second), (&second, &third), (&third, &last)] {
        let (printed, said) = migrated(from, to);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.iter().filter(|line| line.ends_with("  same")).count(), 9, "{printed}");
        assert_eq!(lines.len(), 11, "{printed}");
        assert!(said.contains("copying events: ") && said.contains("comparing: "), "{said}");
        tables.push(lines[..10].join("\n"));
    }
    assert_eq!(tables[0], tables[1]);
    assert_eq!(tables[0], tables[2]);
    for site in [&second, &third, &last, &first] {
        let server = site.start();
        assert_same(&everything(&server), &before);
        stop(server);
    }
    // What was sent before is known to have been sent.
    let server = last.start();
    append_once(&server, &session);
    assert_same(&everything(&server), &before);
    stop(server);
    // And life goes on.
    for site in [&second, &last] {
        let server = site.start();
        server.append(&session, "2026-02-01T00:00:00Z", &json!({"user:later": 1}));
        assert_eq!(server.read(&session)["sessionState"]["user:later"], json!(1));
        let more = server.session();
        server.append(&more, "2026-02-01T00:00:00Z", &json!({}));
        stop(server);
    }
}

/// Starts a migration in very small steps and kills it once events are being copied.
fn kill_half_way(from: &Site, to: &Site) {
    let mut child = migrate(&from.name(), &to.name()).args(["--batch-rows", "1"]).spawn().unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while !said.contains("copying events") {
        said = lines.next().expect("the copy comes to events").unwrap();
    }
    child.kill().unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(printed, "", "it has come to the end");
}

#[test]
fn what_is_killed_half_way_goes_on_and_doubles_nothing() {
    let mut pairs = vec![(Site::directory(), Site::asked())];
    if let other @ Site::Postgres(_) = Site::asked() {
        pairs.push((other, Site::directory()));
    }
    for (from, to) in pairs {
        let server = from.start();
        fill(&server, 8);
        let session = server.session();
        for _ in 0..12 {
            for second in 10..60 {
                server.append(&session, &format!("2026-01-01T00:00:{second}Z"), &json!({}));
            }
        }
        let before = everything(&server);
        stop(server);
        kill_half_way(&from, &to);
        let refusal = to.refusal();
        assert!(
            refusal.contains("unfinished migration") && refusal.contains("colloquy migrate"),
            "{refusal}"
        );
        // Nor is it a source.
        let elsewhere = Site::directory();
        assert!(refused(&to.name(), &elsewhere.name()).contains("unfinished migration"));
        // Nor a destination of anything else.
        let other = Site::directory();
        stop(other.start());
        let refusal = refused(&other.name(), &to.name());
        assert!(refusal.contains("unfinished migration from"), "{refusal}");

        let (printed, said) = migrated(&from, &to);
        let first = said.lines().next().unwrap();
        let counts = first.strip_prefix("going on: ").unwrap().replace(',', "");
        let (done, total) = counts.split_once(" of about ").unwrap();
        let (done, total): (u64, u64) =
            (done.parse().unwrap(), total.split(' ').next().unwrap().parse().unwrap());
        assert!(0 < done && done < total, "{first}");
        assert!(!printed.contains("differs"), "{printed}");
        for site in [&to, &from] {
            let server = site.start();
            assert_same(&everything(&server), &before);
            stop(server);
        }
        let refusal = refused(&from.name(), &to.name());
        assert!(refusal.contains("it is not empty"), "{refusal}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let home = TempDir::new().unwrap();
    let path = |name: &str| -> (PathBuf, String) {
        let path = home.path().join(name);
        (path.clone(), path.into_os_string().into_string().unwrap())
    };
    let ((nothing, nothing_name), (new, new_name)) = (path("nothing"), path("new"));
    let said = refused(&nothing_name, &new_name);
    assert!(said.contains("there is no store in") && said.contains("opening the source"), "{said}");
    assert!(!nothing.exists() && !new.exists());

    let from = Site::directory();
    let server = from.start();
    let session = server.session();
    let said = refused(&from.name(), &new_name);
    assert!(said.contains("stop the server") && said.contains("in use by another server (pid "), "{said}");
    assert!(!new.exists());
    server.append(&session, "2026-01-01T00:00:00Z", &json!({}));
    stop(server);

    let Site::Directory(directory) = &from else { panic!("not a directory") };
    let roundabout = format!(
        "{}/../{}",
        directory.path().display(),
        directory.path().file_name().unwrap().to_str().unwrap()
    );
    for same in [from.name(), roundabout] {
        assert!(refused(&from.name(), &same).contains("the same store"), "{same}");
    }
    for (from, to, part) in [
        ("mysql://a/b", new_name.as_str(), "mysql is no store"),
        (from.name().as_str(), "sqlite:", "named by its directory"),
        (
            from.name().as_str(),
            "postgres://127.0.0.1:1/none",
            "opening the destination postgres://127.0.0.1:1/none",
        ),
    ] {
        let said = refused(from, to);
        assert!(said.contains(part), "{said}");
    }
    let said = command().arg("migrate").stderr(Stdio::piped()).output().unwrap().stderr;
    assert!(String::from_utf8(said).unwrap().contains("--from"));
    assert!(!new.exists());
    // Served again as if nothing had been.
    assert_eq!(from.start().read(&session)["name"], json!(session));
}

#[test]
fn a_database_is_not_copied_onto_itself() {
    let site = Site::asked();
    let Site::Postgres(schema) = &site else { return check_directory_onto_itself(&site) };
    let server = site.start();
    let session = server.session();
    stop(server);
    let otherwise = format!("{}&application_name=otherwise", schema.url());
    let said = refused(&schema.url(), &otherwise);
    assert!(said.contains("the same store"), "{said}");
    site.start().read(&session);
}

fn check_directory_onto_itself(site: &Site) {
    stop(site.start());
    let home = TempDir::new().unwrap();
    let Site::Directory(directory) = site else { panic!("not a directory") };
    let link = home.path().join("link");
    std::os::unix::fs::symlink(directory.path(), &link).unwrap();
    let said = refused(&site.name(), link.to_str().unwrap());
    assert!(said.contains("the same store"), "{said}");
}
