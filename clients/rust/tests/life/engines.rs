//! Engines: made without code, read, listed and updated.

use google_cloud_aiplatform_v1::model::ReasoningEngine;
use google_cloud_gax::paginator::{ItemPaginator as _, Paginator as _};
use google_cloud_lro::Poller as _;
use google_cloud_wkt::FieldMask;

use crate::{Clients, LOCATION, assert_near, assert_numbered, now};

#[tokio::test]
async fn an_engine_is_made_and_updated() {
    let clients = Clients::connect().await;
    let made = clients
        .engines
        .create_reasoning_engine()
        .set_parent(LOCATION)
        .set_reasoning_engine(
            ReasoningEngine::new()
                .set_display_name("assistant")
                .set_description("answers")
                .set_labels([("team", "blue")]),
        )
        .poller()
        .until_done()
        .await
        .unwrap();
    assert_numbered(&made.name, &format!("{LOCATION}/reasoningEngines/"));
    assert_eq!(made.display_name, "assistant");
    assert_eq!(made.description, "answers");
    assert_eq!(made.labels, [("team".to_owned(), "blue".to_owned())].into());
    assert_near(made.create_time.as_ref(), now().seconds());
    let read = clients.engines.get_reasoning_engine().set_name(&made.name).send().await.unwrap();
    assert_eq!(read, made);

    let updated = clients
        .engines
        .update_reasoning_engine()
        .set_reasoning_engine(
            ReasoningEngine::new()
                .set_name(&made.name)
                .set_display_name("renamed")
                .set_description("not in the mask"),
        )
        .set_update_mask(FieldMask::default().set_paths(["display_name"]))
        .poller()
        .until_done()
        .await
        .unwrap();
    assert_eq!(updated.display_name, "renamed");
    assert_eq!(updated.description, "answers");

    // No session is left in it, so it goes without force.
    clients.engines.delete_reasoning_engine().set_name(&made.name).poller().until_done().await.unwrap();
}

#[tokio::test]
async fn engines_are_listed() {
    let clients = Clients::connect().await;
    let made = [clients.new_engine().await.name, clients.new_engine().await.name];
    let list = clients.engines.list_reasoning_engines().set_parent(LOCATION).set_page_size(1);

    let mut by_page = Vec::new();
    let mut pages = list.clone().by_page();
    while let Some(page) = pages.next().await {
        let page = page.unwrap().reasoning_engines;
        // None, if it was the last and another test deleted its engine meanwhile.
        assert!(page.len() <= 1);
        by_page.extend(page.into_iter().map(|engine| engine.name));
    }
    let mut by_item = Vec::new();
    let mut items = list.by_item();
    while let Some(engine) = items.next().await {
        by_item.push(engine.unwrap().name);
    }
    for name in &made {
        assert!(by_page.contains(name), "{name} is not in {by_page:?}");
        assert!(by_item.contains(name), "{name} is not in {by_item:?}");
        clients.delete_engine(name).await;
    }
}
