//! What wrong JSON is told, to the letter.

use super::{SCHEMA, read, read_bytes};

fn problem(json: &str) -> String {
    read(json).unwrap_err().message
}

#[test]
fn unknown_names_are_told_with_their_place_all_at_once() {
    assert_eq!(
        problem(r#"{"foo": 1, "inner": {"bar": {"x": [1]}}, "everies": [{}, {"baz": 0}]}"#),
        "Invalid JSON payload received. Unknown name \"foo\" at 'every': Cannot find field.\n\
         Invalid JSON payload received. Unknown name \"bar\" at 'every.inner': Cannot find field.\n\
         Invalid JSON payload received. Unknown name \"baz\" at 'every.everies[1]': Cannot find field."
    );
    let error = read(r#"{"foo": 1}"#).unwrap_err();
    assert_eq!(error.violations.len(), 1);
    assert_eq!(error.violations[0].field, "every");
    let mut wire = Vec::new();
    let id = SCHEMA.message("test.Every").unwrap();
    let error = proto_json::json_to_wire(&SCHEMA, id, b"{\"foo\":1}", "", 100, &mut wire).unwrap_err();
    assert_eq!(error.message, "Invalid JSON payload received. Unknown name \"foo\": Cannot find field.");
    let error = proto_json::json_to_wire(&SCHEMA, id, b"[]", "", 100, &mut wire).unwrap_err();
    assert_eq!(error.message, "Invalid value (type.googleapis.com/test.Every), a list");
}

#[test]
fn wrong_types_are_told_with_type_and_value() {
    for (json, expected) in [
        (r#"{"aString": 5}"#, "Invalid value at 'every.a_string' (TYPE_STRING), 5"),
        (r#"{"anInt32": "abc"}"#, "Invalid value at 'every.an_int32' (TYPE_INT32), \"abc\""),
        (r#"{"anInt32": 2147483648}"#, "Invalid value at 'every.an_int32' (TYPE_INT32), 2147483648"),
        (r#"{"anInt32": 1.5}"#, "Invalid value at 'every.an_int32' (TYPE_INT32), 1.5"),
        (r#"{"aUint32": -1}"#, "Invalid value at 'every.a_uint32' (TYPE_UINT32), -1"),
        (r#"{"aBool": "true"}"#, "Invalid value at 'every.a_bool' (TYPE_BOOL), \"true\""),
        (r#"{"aBool": 1}"#, "Invalid value at 'every.a_bool' (TYPE_BOOL), 1"),
        (
            r#"{"color": "GREEN"}"#,
            "Invalid value at 'every.color' (type.googleapis.com/test.Color), \"GREEN\"",
        ),
        (r#"{"inner": "x"}"#, "Invalid value at 'every.inner' (type.googleapis.com/test.Every), \"x\""),
        (r#"{"numbers": [1, "x"]}"#, "Invalid value at 'every.numbers[1]' (TYPE_INT32), \"x\""),
        (r#"{"numbers": [null]}"#, "Invalid value at 'every.numbers[0]' (TYPE_INT32), null"),
        (r#"{"numbers": 5}"#, "Invalid value at 'every.numbers' (TYPE_INT32), 5"),
        (r#"{"byInt": {"x": {}}}"#, "Invalid value at 'every.by_int[\"x\"]' (TYPE_INT32), \"x\""),
        (
            r#"{"aStruct": 5}"#,
            "Invalid value at 'every.a_struct' (type.googleapis.com/google.protobuf.Struct), 5",
        ),
        (
            r#"{"someBytes": "%%%"}"#,
            "Invalid value at 'every.some_bytes' (TYPE_BYTES), Base64 decoding failed for \"%%%\"",
        ),
        (
            r#"{"inner": []}"#,
            "Invalid JSON payload received. Unknown name \"inner\" at 'every': Proto field is not repeating, cannot start list.",
        ),
        (
            r#"{"aString": ["x"]}"#,
            "Invalid JSON payload received. Unknown name \"aString\" at 'every': Proto field is not repeating, cannot start list.",
        ),
        (
            r#"{"aTime": []}"#,
            "Invalid JSON payload received. Unknown name \"aTime\" at 'every': Proto field is not repeating, cannot start list.",
        ),
        (
            r#"{"text": "a", "number": 1}"#,
            "Invalid value at 'every' (oneof), oneof field 'choice' is already set. Cannot set 'number'",
        ),
        (
            r#"{"aTime": 1777227316.81987}"#,
            "Invalid value at 'every.a_time' (type.googleapis.com/google.protobuf.Timestamp), Field 'a_time', \
             Invalid data type for timestamp, value is 1777227316.81987",
        ),
        (
            r#"{"aTime": "yesterday"}"#,
            "Invalid value at 'every.a_time' (type.googleapis.com/google.protobuf.Timestamp), Field 'a_time', \
             Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone offset.",
        ),
        (
            r#"{"aTime": {"seconds": 999999999999}}"#,
            "Invalid value at 'every.a_time' (type.googleapis.com/google.protobuf.Timestamp), The value is out of range.",
        ),
        (
            r#"{"anything": {"a": 1}}"#,
            "Invalid value at 'every.anything' (type.googleapis.com/google.protobuf.Any), Missing @type",
        ),
    ] {
        assert_eq!(problem(json), expected, "{json}");
    }
}

#[test]
fn duplicate_keys_are_refused() {
    for json in [
        r#"{"aString": "a", "aString": "b"}"#,
        r#"{"aString": "a", "a_string": "b"}"#,
        r#"{"byString": {"k": "a", "k": "b"}}"#,
        r#"{"byInt": {"1": {}, "01": {}}}"#,
        r#"{"aStruct": {"k": 1, "k": 2}}"#,
        r#"{"aStruct": {"x": {"k": 1, "k": 2}}}"#,
    ] {
        assert!(problem(json).contains("more than once"), "{json}: {}", problem(json));
    }
}

#[test]
fn what_is_no_json_is_told_so() {
    for (json, expected) in [
        (&b""[..], "The body is empty."),
        (b"  \n", "The body is empty."),
        (b"{", "EOF while parsing an object at line 1 column 1."),
        (b"{\"aString\": \"\xff\"}", "The body is not valid UTF-8."),
        (b"{\"aString\": \"\\ud800\"}", "at line 1"),
        (b"{} {}", "trailing characters at line 1 column 4."),
        (b"{\"aStruct\": {\"x\": 1e400}}", "number out of range at line 1"),
    ] {
        let error = read_bytes(json).unwrap_err();
        assert!(error.message.starts_with("Invalid JSON payload received. "), "{}", error.message);
        assert!(error.message.contains(expected), "{} has no {expected}", error.message);
    }
    for json in ["5", "null", "\"x\"", "[]", "true"] {
        assert!(problem(json).contains("type.googleapis.com/test.Every"), "{json}: {}", problem(json));
    }
}

#[test]
fn depth_is_bounded_without_recursing_past_the_bound() {
    let nest = |open: &str, close: &str, inner: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    assert!(read(&nest("{\"inner\":", "}", "{}", 99)).is_ok());
    for levels in [100, 1_000, 200_000] {
        for json in [
            nest("{\"inner\":", "}", "{}", levels),
            format!("{{\"aValue\":{}}}", nest("[", "]", "", levels)),
            format!("{{\"aStruct\":{}}}", nest("{\"a\":", "}", "1", levels)),
        ] {
            let error = problem(&json);
            assert!(error.contains("nests deeper than 100"), "{error}");
        }
        // What is not known is skipped, not descended into.
        let unknown = problem(&format!("{{\"foo\":{}}}", nest("[", "]", "", levels)));
        assert!(unknown.contains("Cannot find field"), "{unknown}");
    }
}

#[test]
fn errors_stay_bounded() {
    let many: Vec<_> = (0..1_000).map(|n| format!("\"x{n}\": 1")).collect();
    let error = read(&format!("{{{}}}", many.join(","))).unwrap_err();
    assert_eq!(error.violations.len(), 20);
    let long = format!("{{\"{}\": 1, \"color\": \"{}\"}}", "n".repeat(100_000), "v".repeat(100_000));
    assert!(problem(&long).len() < 1_000);
}
