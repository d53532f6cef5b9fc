//! Drives a running server with Google's generated Rust clients, which speak REST with JSON.

mod deletions;
mod engines;
mod events;
mod operations;
mod refusals;
mod report;
mod sessions;
mod snippets;
mod values;

use std::env;
use std::time::SystemTime;

use google_cloud_aiplatform_v1::client::{ReasoningEngineService, SessionService};
use google_cloud_aiplatform_v1::model::{ReasoningEngine, Session, SessionEvent};
use google_cloud_auth::credentials::anonymous;
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_lro::Poller as _;
use google_cloud_wkt::{Struct, Timestamp};
use serde_json::Value;

const LOCATION: &str = "projects/my-project/locations/us-central1";
const DAY: i64 = 24 * 60 * 60;

struct Clients {
    engines: ReasoningEngineService,
    sessions: SessionService,
}

impl Clients {
    async fn connect() -> Self {
        let address = env::var("COLLOQUY_URL")
            .expect("set COLLOQUY_URL to the address of a running server, or run `cargo xtask clients`");
        let credentials = anonymous::Builder::new().build();
        // Without retries, which would hide what the server does wrong.
        let engines = ReasoningEngineService::builder()
            .with_endpoint(&address)
            .with_credentials(credentials.clone())
            .with_retry_policy(NeverRetry);
        let sessions = SessionService::builder()
            .with_endpoint(&address)
            .with_credentials(credentials)
            .with_retry_policy(NeverRetry);
        Self { engines: engines.build().await.unwrap(), sessions: sessions.build().await.unwrap() }
    }

    async fn new_engine(&self) -> ReasoningEngine {
        self.engines
            .create_reasoning_engine()
            .set_parent(LOCATION)
            .set_reasoning_engine(ReasoningEngine::new().set_display_name("assistant"))
            .poller()
            .until_done()
            .await
            .unwrap()
    }

    async fn delete_engine(&self, name: &str) {
        let request = self.engines.delete_reasoning_engine().set_name(name).set_force(true);
        request.poller().until_done().await.unwrap();
    }

    async fn new_session(&self, engine: &str, session: Session) -> Session {
        let request = self.sessions.create_session().set_parent(engine).set_session(session);
        request.poller().until_done().await.unwrap()
    }

    async fn read_session(&self, name: &str) -> Session {
        self.sessions.get_session().set_name(name).send().await.unwrap()
    }

    async fn append(&self, session: &str, event: SessionEvent) {
        self.sessions.append_event().set_name(session).set_event(event).send().await.unwrap();
    }

    /// The only page of the events of a session.
    async fn read_events(&self, session: &str) -> Vec<SessionEvent> {
        let page = self.sessions.list_events().set_parent(session).send().await.unwrap();
        assert_eq!(page.next_page_token, "");
        page.session_events
    }
}

/// Runs a test with an engine of its own, which is gone afterwards.
async fn with_engine(test: impl AsyncFnOnce(&Clients, &str)) {
    let clients = Clients::connect().await;
    let engine = clients.new_engine().await.name;
    test(&clients, &engine).await;
    clients.delete_engine(&engine).await;
}

fn user(id: &str) -> Session {
    Session::new().set_user_id(id)
}

/// The fields of a JSON object, which is what this library takes for a `Struct`.
fn fields(object: Value) -> Struct {
    serde_json::from_value(object).unwrap()
}

fn now() -> Timestamp {
    SystemTime::now().try_into().unwrap()
}

/// Insists on two times that are as near to each other as a call is long.
#[track_caller]
fn assert_near(time: Option<&Timestamp>, seconds: i64) {
    let time = time.expect("no time").seconds();
    assert!((time - seconds).abs() <= 60, "{time} and {seconds}");
}

/// Insists on an id that the server chose: a decimal number.
#[track_caller]
fn assert_numbered(name: &str, parent: &str) {
    let id = name.strip_prefix(parent).unwrap_or_else(|| panic!("{name} is not in {parent}"));
    assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
}
