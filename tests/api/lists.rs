//! Lists of sessions: filters, orders, pages.

use serde_json::{Value, json};

use crate::server::Server;

fn walk(server: &Server, path: &str, member: &str, query: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let page = server.get(&format!("{path}?{query}&pageToken={token}")).ok();
        let items = page[member].as_array().cloned().unwrap_or_default();
        names.extend(
            items.iter().map(|item| item["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()),
        );
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return names,
        }
    }
}

struct Fixture {
    server: Server,
    path: String,
}

impl Fixture {
    fn new() -> Self {
        let server = Server::start();
        let path = format!("/v1beta1/{}/sessions", server.engine());
        let fixture = Self { server, path };
        for (id, session) in [
            ("s1", json!({"userId": "alice", "displayName": "one", "labels": {"env": "prod"}})),
            ("s2", json!({"userId": "bob", "displayName": "two", "labels": {"env": "test", "team-x": "y"}})),
            ("s3", json!({"userId": "alice", "displayName": "three", "ttl": "86400s"})),
            ("s4", json!({"userId": "al\"ice", "displayName": "on*"})),
        ] {
            fixture.server.post(&format!("{}?sessionId={id}", fixture.path), &session).ok();
        }
        fixture
    }

    fn ids(&self, query: &str) -> String {
        walk(&self.server, &self.path, "sessions", query).join(" ")
    }
}

#[test]
fn filters_pick() {
    let fixture = Fixture::new();
    for (filter, ids) in [
        ("user_id=%22alice%22", "s3 s1"),
        ("user_id=alice", "s3 s1"),
        ("userId=%22alice%22", "s3 s1"),
        ("user_id=%22al%5C%22ice%22", "s4"),
        ("display_name=%22on*%22", "s4"),
        ("display_name:on", "s4 s1"),
        ("labels.env=%22prod%22", "s1"),
        ("labels.env!=prod", "s2"),
        ("labels:env", "s2 s1"),
        ("labels.team-x:*", "s2"),
        ("-labels:env", "s4 s3"),
        ("user_id=alice%20AND%20NOT%20display_name=one", "s3"),
        ("user_id=bob%20OR%20user_id=alice%20labels.env:*", "s2 s1"),
        ("expire_time%3C%222999-01-01T00:00:00Z%22%20display_name=three", "s3"),
        ("create_time%3E%222999-01-01T00:00:00Z%22", ""),
        ("update_time%3E%222000-01-01T00:00:00Z%22", "s4 s3 s2 s1"),
        ("", "s4 s3 s2 s1"),
    ] {
        assert_eq!(fixture.ids(&format!("filter={filter}")), ids, "{filter}");
        assert_eq!(fixture.ids(&format!("pageSize=1&filter={filter}")), ids, "{filter}");
    }
}

#[test]
fn orders_order() {
    let fixture = Fixture::new();
    let session = fixture.path.trim_start_matches("/v1beta1/").to_owned() + "/s2";
    fixture.server.append(&session, "2020-01-01T00:00:00Z", &json!({}));
    for (order, ids) in [
        ("", "s2 s4 s3 s1"),
        ("update_time", "s1 s3 s4 s2"),
        ("updateTime%20desc", "s2 s4 s3 s1"),
        ("create_time", "s1 s2 s3 s4"),
        ("create_time%20desc", "s4 s3 s2 s1"),
        ("create_time%20asc,update_time%20desc", "s1 s2 s3 s4"),
    ] {
        for size in [0, 1, 2, 3] {
            assert_eq!(fixture.ids(&format!("orderBy={order}&pageSize={size}")), ids, "{order} by {size}");
        }
    }
}

#[test]
fn pages_are_of_a_hundred_at_most() {
    let server = Server::start();
    let name = server.session();
    for n in 0..101 {
        server.append(&name, &format!("2026-01-01T00:{:02}:{:02}Z", n / 60, n % 60), &json!({}));
    }
    let path = format!("/v1beta1/{name}/events");
    for size in ["", "?pageSize=0", "?pageSize=100000"] {
        let page = server.get(&format!("{path}{size}")).ok();
        assert_eq!(page["sessionEvents"].as_array().unwrap().len(), 100);
        assert!(page["nextPageToken"].is_string());
    }
    let ids = walk(&server, &path, "sessionEvents", "page_size=7");
    assert_eq!(ids.len(), 101);
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 101);
    let mut back = walk(&server, &path, "sessionEvents", "pageSize=40&orderBy=timestamp%20desc");
    back.reverse();
    assert_eq!(back, ids);
}

#[test]
fn what_comes_during_a_walk_disturbs_nothing() {
    let server = Server::start();
    let name = server.session();
    let append = |second: u32| server.append(&name, &format!("2026-01-01T00:00:{second:02}Z"), &json!({}));
    (10..20).for_each(append);
    let path = format!("/v1beta1/{name}/events");
    let page = |token: &Value| -> (Vec<String>, Value) {
        let token = token.as_str().unwrap_or_default();
        let page = server.get(&format!("{path}?pageSize=4&pageToken={token}")).ok();
        let times = page["sessionEvents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["timestamp"].as_str().unwrap()[17..19].to_owned());
        (times.collect(), page["nextPageToken"].clone())
    };
    let (mut seen, mut token) = page(&Value::Null);
    append(5);
    append(12);
    while !token.is_null() {
        let (more, next) = page(&token);
        seen.extend(more);
        token = next;
    }
    assert_eq!(seen.join(" "), "10 11 12 13 14 15 16 17 18 19");
}
