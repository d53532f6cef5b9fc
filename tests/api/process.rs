//! The server as a process: what it prints, reads, refuses and logs, and how it ends.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::request;
use crate::server::{LOCATION, Server, command, event};

/// Waits for what must become true.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a server says that does not start.
fn refusal(command: &mut Command) -> String {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > patience {
            child.kill().unwrap();
            panic!("the server starts");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(!status.success());
    let (mut said, mut printed) = (String::new(), String::new());
    child.stderr.unwrap().read_to_string(&mut said).unwrap();
    child.stdout.unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "", "nothing listens");
    said
}

fn serve(data: &Path) -> Command {
    let mut command = command();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    command
}

#[test]
fn the_greeting_says_where_and_the_printed_line_works() {
    let data = TempDir::new().unwrap();
    let server = Server::start_on(data.path(), &[]);
    let address = server.address();
    let line = format!(
        "curl -X POST http://{address}/v1beta1/projects/demo/locations/us-central1/reasoningEngines \
         -H 'Content-Type: application/json' -d '{{\"displayName\": \"demo\"}}'"
    );
    assert_eq!(
        server.greeting,
        [
            format!("Colloquy {}", env!("CARGO_PKG_VERSION")),
            format!("data in {}", data.path().display()),
            format!("listening on http://{address}"),
            format!("try: {line}"),
        ]
    );
    let curl = Command::new("sh").args(["-c", &line]).env("no_proxy", "*").output().unwrap();
    let operation: Value = if curl.status.code() == Some(127) {
        // No curl here: the same request by hand.
        let path = "/v1beta1/projects/demo/locations/us-central1/reasoningEngines";
        server.post(path, &json!({"displayName": "demo"})).ok()
    } else {
        serde_json::from_slice(&curl.stdout).unwrap()
    };
    assert_eq!((&operation["done"], &operation["response"]["displayName"]), (&json!(true), &json!("demo")));
    assert_eq!(server.read(operation["response"]["name"].as_str().unwrap())["displayName"], "demo");
}

#[test]
fn without_a_word_it_serves_the_directory_it_stands_in() {
    let home = TempDir::new().unwrap();
    let mut command = command();
    command.current_dir(home.path()).env("COLLOQUY_LISTEN", "127.0.0.1:0");
    let server = Server::run(command);
    let data = home.path().join("colloquy-data");
    assert_eq!(server.greeting[1], format!("data in {}", data.display()));
    server.engine();
    assert!(data.join("colloquy.db").is_file());
    assert!(server.stop(Signal::TERM).success());
}

#[test]
fn flags_go_over_the_environment_over_the_file() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("colloquy.toml");
    let text = "listen = \"127.0.0.1:0\"\nexpress_project = \"file\"\nexpress_location = \"file\"\n\
                session_ids = \"open\"\nmax_body_bytes = 3000\nauto_create_engines = true\n\
                [project_numbers]\ndemo = \"42\"\n";
    fs::write(&file, text).unwrap();
    let settled = |environment: &[(&str, &str)], flags: &[&str]| {
        let mut command = command();
        command.arg("serve").args(flags).env("COLLOQUY_CONFIG", &file).envs(environment.iter().copied());
        let data = TempDir::new_in(home.path()).unwrap();
        command.env("COLLOQUY_DATA_DIR", data.path());
        let server = Server::run(command);
        let operation = server.post("/v1beta1/reasoningEngines", &json!({})).ok();
        let engine = operation["response"]["name"].as_str().unwrap();
        let (place, _) = engine.split_once("/reasoningEngines/").unwrap();
        let open =
            server.post(&format!("/v1beta1/{engine}/sessions?sessionId=A_b"), &json!({"userId": "u"})).status;
        let too_large =
            server.client().send_bytes("POST", "/v1beta1/reasoningEngines", Some(&[b' '; 2500])).status;
        // Settings that only the file has.
        let sprung = server.get("/v1beta1/projects/42/locations/l/reasoningEngines/7").ok();
        assert_eq!(
            server.get("/v1beta1/projects/demo/locations/l/reasoningEngines/7").ok()["etag"],
            sprung["etag"]
        );
        (place.to_owned(), open, too_large)
    };
    let place = |project: &str, location: &str| format!("projects/{project}/locations/{location}");
    assert_eq!(settled(&[], &[]), (place("file", "file"), 200, 400));
    let environment = [
        ("COLLOQUY_EXPRESS_PROJECT", "environment"),
        ("COLLOQUY_EXPRESS_LOCATION", "environment"),
        ("COLLOQUY_SESSION_IDS", "published"),
        ("COLLOQUY_MAX_BODY_BYTES", "2000"),
    ];
    assert_eq!(settled(&environment, &[]), (place("environment", "environment"), 400, 413));
    let flags = ["--express-project", "flag", "--session-ids=open", "--max-body-bytes", "3000"];
    assert_eq!(settled(&environment, &flags), (place("flag", "environment"), 200, 400));
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let home = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let unknown = file("unknown.toml", "lisen = \"127.0.0.1:0\"\n");
    let wrong = file("wrong.toml", "max_body_bytes = \"much\"\n");
    let broken = file("broken.toml", "listen = \n");
    let missing = home.path().join("missing.toml").into_os_string().into_string().unwrap();
    for (flags, parts) in [
        (vec!["--config", &unknown], vec!["unknown.toml", "lisen"]),
        (vec!["--config", &wrong], vec!["wrong.toml", "max_body_bytes"]),
        (vec!["--config", &broken], vec!["broken.toml", "line 1"]),
        (vec!["--config", &missing], vec!["missing.toml", "No such file"]),
        (vec!["--lisen", "127.0.0.1:1"], vec!["--lisen"]),
        (vec!["--listen", "nowhere"], vec!["--listen", "nowhere"]),
        (vec!["--session-ids", "any"], vec!["--session-ids", "published", "open"]),
        (vec!["--max-json-depth", "101"], vec!["max_json_depth", "between 1 and 100"]),
        (vec!["--project-number", "demo"], vec!["\"demo\" is not ID=NUMBER"]),
        (vec!["--log-level", "loud"], vec!["\"loud\" is not a log level"]),
    ] {
        let said = refusal(command().arg("serve").args(&flags).current_dir(home.path()));
        for part in parts {
            assert!(said.contains(part), "{said} has no {part}");
        }
    }
    let said = refusal(command().env("COLLOQUY_MAX_EVENT_BYTES", "many").current_dir(home.path()));
    assert!(said.contains("many") && said.contains("max-event-bytes"), "{said}");
    assert!(!home.path().join("colloquy-data").exists(), "a refused start leaves nothing behind");
}

#[test]
fn only_loopback_is_listened_on_unless_one_insists() {
    let data = TempDir::new().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut refused = command();
        refused.args(["serve", "--listen", address, "--data-dir"]).arg(data.path());
        let said = refusal(&mut refused);
        assert!(said.contains(address) && said.contains("--insecure"), "{said}");
        refused.env("COLLOQUY_INSECURE", "false");
        assert!(refusal(&mut refused).contains("--insecure"));
    }
    let mut insisted = command();
    insisted.args(["serve", "--insecure", "--listen", "0.0.0.0:0", "--data-dir"]).arg(data.path());
    let server = Server::run(insisted);
    assert!(server.greeting[2].starts_with("listening on http://0.0.0.0:"));
    server.get("/healthz").ok();
}

#[test]
fn an_address_that_is_taken_is_named() {
    let first = Server::start();
    let data = TempDir::new().unwrap();
    let address = first.address().to_string();
    let mut second = command();
    second.args(["serve", "--listen", &address, "--data-dir"]).arg(data.path());
    let said = refusal(&mut second);
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
}

#[test]
fn one_directory_has_one_server() {
    let data = TempDir::new().unwrap();
    let first = Server::start_on(data.path(), &[]);
    let session = first.session();
    let said = refusal(&mut serve(data.path()));
    let expected = format!("the data directory {} is in use by another server (pid ", data.path().display());
    assert!(said.contains(&expected), "{said}");
    // The first has not noticed.
    first.append(&session, "2026-01-01T00:00:00Z", &json!({"k": 1}));
    assert!(first.stop(Signal::TERM).success());
    let next = Server::start_on(data.path(), &[]);
    assert_eq!(next.read(&session)["sessionState"], json!({"k": 1}));
}

#[test]
fn data_of_a_newer_server_is_refused_and_left_alone() {
    /// Where SQLite keeps `user_version`, in which we keep the version of the schema.
    const VERSION: std::ops::Range<usize> = 60..64;
    let data = TempDir::new().unwrap();
    let server = Server::start_on(data.path(), &[]);
    let session = server.session();
    assert!(server.stop(Signal::TERM).success());
    let database = data.path().join("colloquy.db");
    let ours = fs::read(&database).unwrap();
    let mut newer = ours.clone();
    newer[VERSION].copy_from_slice(&999_u32.to_be_bytes());
    fs::write(&database, &newer).unwrap();
    let said = refusal(&mut serve(data.path()));
    assert!(
        said.contains("colloquy.db has schema version 999") && said.contains("use a newer server"),
        "{said}"
    );
    assert!(fs::read(&database).unwrap() == newer, "the database has changed");
    fs::write(&database, &ours).unwrap();
    Server::start_on(data.path(), &[]).read(&session);
}

#[test]
fn what_is_no_database_is_refused() {
    let data = TempDir::new().unwrap();
    let database = data.path().join("colloquy.db");
    fs::write(&database, "these are notes of mine, not a database\n".repeat(100)).unwrap();
    let said = refusal(&mut serve(data.path()));
    assert!(said.contains(&format!("cannot open the database {}", database.display())), "{said}");
    assert!(fs::read_to_string(&database).unwrap().starts_with("these are notes of mine"));
}

#[test]
fn a_stop_lets_the_request_under_way_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = TempDir::new().unwrap();
        let (data, log) = (home.path().join("data"), home.path().join("log"));
        let mut command = serve(&data);
        command.stderr(File::create(&log).unwrap());
        let server = Server::run(command);
        let session = server.session();
        // A connection that is open but idle holds up nothing.
        let mut idle = server.client().open();
        idle.write(&request("GET", "/healthz", &[], None));
        idle.read().ok();
        let sent = event("2026-01-01T00:00:00Z", &json!({"k": 1})).to_string();
        let length = sent.len().to_string();
        let mut connection = server.client().open();
        let headers =
            [("Content-Type", "application/json"), ("Expect", "100-continue"), ("Content-Length", &length)];
        connection.write(&request("POST", &format!("/v1beta1/{session}:appendEvent"), &headers, None));
        // The body is being waited for: the request is under way.
        assert_eq!(connection.read().status, 100);
        server.signal(signal);
        until("the server does not stop", || fs::read_to_string(&log).unwrap().contains("stopping: "));
        connection.write(sent.as_bytes());
        assert_eq!(connection.read().ok(), json!({}));
        assert!(server.wait().success());
        let server = Server::start_on(&data, &[]);
        assert_eq!(server.read(&session)["sessionState"], json!({"k": 1}));
    }
}

#[test]
fn health_is_asked_for_without_a_version() {
    let server = Server::start();
    for path in ["/healthz", "/readyz", "/readyz?verbose=1"] {
        assert_eq!(server.get(path).ok(), json!({"status": "ok"}));
        let head = server.client().send("HEAD", path, None);
        assert_eq!((head.status, head.body.len()), (200, 0));
        let posted = server.post(path, &json!({}));
        posted.error(405);
        assert_eq!(posted.header("allow"), Some("GET, HEAD"));
    }
}

#[test]
fn what_was_answered_survives_a_kill() {
    let data = TempDir::new().unwrap();
    let server = Server::start_on(data.path(), &[]);
    let engine = server.engine();
    let session = server.session_in(&engine, &json!({"userId": "u", "labels": {"a": "b"}}));
    let doomed = server.session_in(&engine, &json!({"userId": "u"}));
    server.delete(&format!("/v1beta1/{doomed}")).ok();
    let mut server = Some(server);
    for round in 0..5 {
        let running = server.take().unwrap();
        running.append(
            &session,
            &format!("2026-01-01T00:00:0{round}Z"),
            &json!({"n": round, "app:n": round}),
        );
        let (before, events) =
            (running.read(&session), running.get(&format!("/v1beta1/{session}/events")).ok());
        assert_eq!(events["sessionEvents"].as_array().unwrap().len(), round + 1);
        running.kill();
        let next = Server::start_on(data.path(), &[]);
        assert_eq!(next.read(&session), before);
        assert_eq!(next.get(&format!("/v1beta1/{session}/events")).ok(), events);
        next.get(&format!("/v1beta1/{doomed}")).error(404);
        server = Some(next);
    }
}

#[test]
fn the_log_has_a_line_for_each_request_and_nothing_of_what_was_said() {
    const SECRET: &str = "s3cr3t-marker";
    for level in ["info", "debug"] {
        let home = TempDir::new().unwrap();
        let log = home.path().join("log");
        let mut command = serve(&home.path().join("data"));
        command.args(["--log-format", "json", "--log-level", level, "--max-body-bytes", "5000"]);
        command.stderr(File::create(&log).unwrap());
        let server = Server::run(command);
        let client = server.client();
        let engines = format!("/v1beta1/{LOCATION}/reasoningEngines");
        let made = server.post(&engines, &json!({"displayName": SECRET, "labels": {"a": SECRET}})).ok();
        let engine = format!("/v1beta1/{}", made["response"]["name"].as_str().unwrap());
        let sessions = format!("{engine}/sessions");
        let state = json!({"userId": SECRET, "sessionState": {SECRET: SECRET}});
        let made = server.post(&format!("{sessions}?key={SECRET}"), &state).ok();
        let session = format!("/v1beta1/{}", made["response"]["name"].as_str().unwrap());
        let append = format!("{session}:appendEvent");
        let mut sent = event("2026-01-01T00:00:00Z", &json!({SECRET: SECRET}));
        sent["author"] = json!(SECRET);
        let mut expected = vec![("POST", engines, 200), ("POST", sessions.clone(), 200)];
        let mut sending =
            |method: &'static str, path: &str, query: &str, body: Option<&[u8]>, status: u16| {
                let headers = [
                    ("Content-Type", "application/json"),
                    ("Authorization", "Bearer s3cr3t-marker"),
                    ("X-Goog-Api-Key", SECRET),
                ];
                let answer = client.send_with(method, &format!("{path}{query}"), &headers, body);
                assert_eq!(answer.status, status, "{method} {path}{query}");
                expected.push((method, path.to_owned(), status));
            };
        let filter = format!("?filter=user_id=%22{SECRET}%22");
        sending("POST", &append, "", Some(sent.to_string().as_bytes()), 200);
        sending("GET", &session, "", None, 200);
        sending("GET", &format!("{session}/events"), &format!("?filter=author={SECRET}"), None, 200);
        sending("GET", &sessions, &filter, None, 200);
        // Refusals echo what was sent: to the caller, not to the log.
        sending("GET", &sessions, &format!("?filter={SECRET}"), None, 400);
        sending("GET", &sessions, &format!("?pageToken={SECRET}"), None, 400);
        sending("GET", &sessions, &format!("?{SECRET}=1"), None, 400);
        sending("POST", &sessions, &format!("?sessionId={SECRET}_"), Some(b"{\"userId\":\"u\"}"), 400);
        sending("POST", &append, "", Some(format!("{{\"{SECRET}\":1}}").as_bytes()), 400);
        sending("POST", &append, "", Some(format!("{{{SECRET}").as_bytes()), 400);
        sending("POST", &append, "", Some(SECRET.repeat(500).as_bytes()), 413);
        sending("PATCH", &session, &format!("?updateMask={SECRET}"), Some(b"{}"), 400);
        sending("GET", "/nothing", &format!("?{SECRET}"), None, 404);
        sending("PUT", &session, &format!("?{SECRET}"), None, 405);
        sending("GET", "/healthz", &format!("?{SECRET}"), None, 200);
        assert!(server.stop(Signal::TERM).success());

        let text = fs::read_to_string(&log).unwrap();
        assert!(!text.contains(SECRET), "{text}");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let requests: Vec<_> = lines.iter().filter(|line| line["target"] == "request").collect();
        let logged: Vec<_> = requests
            .iter()
            .map(|line| {
                assert_eq!(line["level"], "INFO");
                assert!(line["timestamp"].is_string() && line["id"].is_string() && line["micros"].is_u64());
                (
                    line["method"].as_str().unwrap(),
                    line["path"].as_str().unwrap(),
                    line["status"].as_u64().unwrap(),
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(method, path, status)| (*method, path.as_str(), u64::from(*status)))
            .collect();
        assert_eq!(logged, expected);
        let ids: std::collections::BTreeSet<_> = requests.iter().map(|line| line["id"].as_str()).collect();
        assert_eq!(ids.len(), requests.len());
        assert!(requests[2]["rpc"].as_str().unwrap().ends_with("SessionService.AppendEvent"));
        assert_eq!(lines.last().unwrap()["message"], "stopped");
    }
}
