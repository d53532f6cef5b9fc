//! Field masks.

use std::time::{Duration, Instant};

use super::{SCHEMA, print, read};

fn merged(base: &str, patch: &str, paths: &[&str]) -> Result<String, String> {
    let id = SCHEMA.message("test.Every").unwrap();
    let (base, patch) = (read(base).unwrap(), read(patch).unwrap());
    proto_json::merge_with_mask(&SCHEMA, id, &base, &patch, paths)
        .map(|wire| print(&wire).unwrap())
        .map_err(|error| error.to_string())
}

#[test]
fn named_fields_are_replaced_or_cleared() {
    let base = r#"{"aString": "a", "anInt32": 1, "numbers": [1, 2]}"#;
    let patch = r#"{"aString": "b", "numbers": [3], "aBool": true}"#;
    assert_eq!(merged(base, patch, &["a_string"]).unwrap(), r#"{"anInt32":1,"aString":"b","numbers":[1,2]}"#);
    assert_eq!(merged(base, patch, &["numbers", "anInt32"]).unwrap(), r#"{"aString":"a","numbers":[3]}"#);
    assert_eq!(merged(base, patch, &["*"]).unwrap(), r#"{"aBool":true,"aString":"b","numbers":[3]}"#);
    assert_eq!(merged(base, patch, &[]).unwrap(), r#"{"anInt32":1,"aString":"a","numbers":[1,2]}"#);
}

#[test]
fn paths_lead_into_messages() {
    let base = r#"{"inner": {"aString": "a", "anInt32": 1}}"#;
    let patch = r#"{"inner": {"aString": "b"}}"#;
    assert_eq!(merged(base, patch, &["inner.a_string"]).unwrap(), r#"{"inner":{"anInt32":1,"aString":"b"}}"#);
    assert_eq!(merged(base, "{}", &["inner.aString"]).unwrap(), r#"{"inner":{"anInt32":1}}"#);
    assert_eq!(merged("{}", patch, &["inner.aString"]).unwrap(), r#"{"inner":{"aString":"b"}}"#);
}

#[test]
fn a_path_that_names_nothing_is_refused() {
    for path in ["foo", "inner.foo", "a_string.x", "everies.a_string", "", "inner."] {
        assert!(merged("{}", "{}", &[path]).unwrap_err().contains("names no field"), "{path}");
    }
}

#[test]
fn a_path_that_comes_again_or_below_another_adds_nothing() {
    let base = r#"{"inner": {"aString": "a", "anInt32": 1, "numbers": [1]}}"#;
    let patch = r#"{"inner": {"aString": "b", "numbers": [2]}}"#;
    let whole = r#"{"inner":{"aString":"b","numbers":[2]}}"#;
    for paths in [
        &["inner", "inner.a_string"][..],
        &["inner.aString", "inner", "inner"],
        &["inner.inner.numbers", "inner", "inner.an_int32"],
        &["inner.a_string", "*", "inner.numbers"],
    ] {
        assert_eq!(merged(base, patch, paths).unwrap(), whole, "{paths:?}");
    }
    let twice = &["inner.numbers", "inner.numbers", "inner.a_string", "inner.aString"];
    assert_eq!(merged(base, patch, twice).unwrap(), r#"{"inner":{"anInt32":1,"aString":"b","numbers":[2]}}"#);
    assert!(merged(base, patch, &["inner", "inner.foo"]).is_err());
}

#[test]
fn a_named_member_of_a_oneof_takes_the_place_of_the_others() {
    let id = SCHEMA.message("test.Every").unwrap();
    let patched = |base: &[u8], patch: &str, paths: &[&str]| {
        proto_json::merge_with_mask(&SCHEMA, id, base, &read(patch).unwrap(), paths).unwrap()
    };
    for (patch, path) in [
        (r#"{"inner": {"nested": {"aString": "x"}}}"#, "inner.nested"),
        (r#"{"inner": {"nested": {"aString": "x"}}}"#, "inner.nested.aString"),
        (r#"{"inner": {"number": 0}}"#, "inner.number"),
    ] {
        let base = read(r#"{"inner": {"text": "t", "aBool": true}}"#).unwrap();
        let set = patched(&base, patch, &[path]);
        let cleared = patched(&set, r#"{"inner": {}}"#, &["inner.nested", "inner.number"]);
        assert_eq!(print(&cleared).unwrap(), r#"{"inner":{"aBool":true}}"#, "{path}");
    }
    // Nothing is in the member, but it is the one that was chosen.
    let chosen = merged(r#"{"text": "t"}"#, r#"{"nested": {}}"#, &["nested.aString"]);
    assert_eq!(chosen.unwrap(), r#"{"nested":{}}"#);
    // A member that the patch does not set, or that is not named, overwrites nothing.
    let text = r#"{"text":"t"}"#;
    assert_eq!(merged(text, "{}", &["number", "nested.aString"]).unwrap(), text);
    assert_eq!(merged(text, r#"{"number": 1}"#, &["nested", "a_bool"]).unwrap(), text);
    assert_eq!(merged(text, r#"{"number": 1}"#, &["text"]).unwrap(), "{}");
    assert_eq!(merged(text, r#"{"number": 1}"#, &["text", "number"]).unwrap(), r#"{"number":1}"#);
}

#[test]
fn a_member_that_was_overwritten_does_not_come_back() {
    let id = SCHEMA.message("test.Every").unwrap();
    let both = [read(r#"{"text": "t"}"#).unwrap(), read(r#"{"number": 1}"#).unwrap()].concat();
    let cleared = proto_json::merge_with_mask(&SCHEMA, id, &both, &[], &["number"]).unwrap();
    assert_eq!(print(&cleared).unwrap(), "{}");
    let named = proto_json::merge_with_mask(&SCHEMA, id, &[], &both, &["text"]).unwrap();
    assert_eq!(print(&named).unwrap(), "{}");
}

#[test]
fn many_paths_are_one_pass_and_endless_ones_are_refused() {
    let strings = vec!["\"x\""; 300_000].join(",");
    let base = format!("{{\"inner\": {{\"strings\": [{strings}]}}}}");
    let paths: Vec<_> = (0..2_000).map(|n| ["inner.aString", "inner.a_bool"][n % 2]).collect();
    let start = Instant::now();
    let printed = merged(&base, r#"{"inner": {"aString": "b"}}"#, &paths).unwrap();
    assert!(printed.starts_with(r#"{"inner":{"aString":"b","strings":["x","x""#));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    for deep in ["inner.".repeat(99) + "numbers", "inner.".repeat(1_000_000) + "numbers"] {
        assert_eq!(merged("{}", "{}", &[&deep]).is_ok(), deep.len() < 1_000);
    }
}
