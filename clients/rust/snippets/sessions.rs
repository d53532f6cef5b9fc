//! Makes an engine and a session.

use google_cloud_aiplatform_v1::client::{ReasoningEngineService, SessionService};
use google_cloud_aiplatform_v1::model::{ReasoningEngine, Session};
use google_cloud_auth::credentials::anonymous;
use google_cloud_lro::Poller as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::var("COLLOQUY_URL")?; // http://host:port
    let credentials = anonymous::Builder::new().build();
    let engines = ReasoningEngineService::builder()
        .with_endpoint(&address)
        .with_credentials(credentials.clone())
        .build()
        .await?;
    let sessions =
        SessionService::builder().with_endpoint(&address).with_credentials(credentials).build().await?;

    let engine = engines
        .create_reasoning_engine()
        .set_parent("projects/my-project/locations/us-central1")
        .set_reasoning_engine(ReasoningEngine::new().set_display_name("assistant"))
        .poller()
        .until_done()
        .await?;
    let session = sessions
        .create_session()
        .set_parent(&engine.name)
        .set_session(Session::new().set_user_id("alice"))
        .poller()
        .until_done()
        .await?;
    println!("{} {}", session.user_id, session.name);
    Ok(())
}
