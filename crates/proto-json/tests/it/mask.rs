//! Field masks.

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
