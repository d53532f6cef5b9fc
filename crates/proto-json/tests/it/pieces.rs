//! Messages that stand in pieces, and members of oneofs that overwrite each other: one message all the same.

use std::time::{Duration, Instant};

use proto_json::WireError;

use super::{SCHEMA, dynamic, print, read};

/// `Every.number`, `.nested`, `.a_value`, `.a_time`, `.a_duration`, `.by_int`, `.by_string`.
const NUMBER: u32 = 51;
const NESTED: u32 = 52;
const VALUE: u32 = 61;
const TIME: u32 = 63;
const DURATION: u32 = 64;
const BY_INT: u32 = 41;
const BY_STRING: u32 = 40;

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn int(number: u32, value: i64) -> Vec<u8> {
    [varint(u64::from(number << 3)), varint(value as u64)].concat()
}

fn bytes(number: u32, content: &[u8]) -> Vec<u8> {
    [varint(u64::from(number << 3 | 2)), varint(content.len() as u64), content.to_vec()].concat()
}

fn checked(wire: &[u8]) -> Result<(), WireError> {
    proto_json::validate_wire(&SCHEMA, SCHEMA.message("test.Every").unwrap(), wire, 100)
}

/// The content of a `Struct` with one number in it.
fn structure(key: &str, value: i8) -> Vec<u8> {
    let number = [&[0x11][..], &f64::from(value).to_le_bytes()].concat();
    bytes(1, &[bytes(1, key.as_bytes()), bytes(2, &number)].concat())
}

#[test]
fn pieces_are_checked_as_what_they_make() {
    let out_of_range = |name: &str| Err(WireError::OutOfRange(format!("google.protobuf.{name}")));
    let (seconds, nanos) = (bytes(DURATION, &int(1, 5)), bytes(DURATION, &int(2, -5)));
    assert_eq!(checked(&seconds), Ok(()));
    assert_eq!(checked(&nanos), Ok(()));
    let both = [seconds.clone(), nanos.clone()].concat();
    assert_eq!(checked(&both), out_of_range("Duration"));
    // With others between them, a level below, in an entry of a map.
    assert_eq!(checked(&[seconds.clone(), int(3, 7), nanos.clone()].concat()), out_of_range("Duration"));
    let nested = [bytes(NESTED, &seconds), bytes(NESTED, &nanos)].concat();
    assert_eq!(checked(&nested), out_of_range("Duration"));
    let entry = [int(1, 7), bytes(2, &seconds), bytes(2, &nanos)].concat();
    assert_eq!(checked(&bytes(BY_INT, &entry)), out_of_range("Duration"));
    // Wrong alone, right together.
    let wrong = bytes(DURATION, &[int(1, 5), int(2, -5)].concat());
    assert_eq!(checked(&wrong), out_of_range("Duration"));
    assert_eq!(checked(&[wrong, bytes(DURATION, &int(2, 5))].concat()), Ok(()));
    // Another member between them overwrites the first.
    let between = [bytes(NESTED, &seconds), int(NUMBER, 1), bytes(NESTED, &nanos)].concat();
    assert_eq!(checked(&between), Ok(()));
    assert_eq!(print(&between).unwrap(), r#"{"nested":{"aDuration":"-0.000000005s"}}"#);
}

#[test]
fn what_is_out_of_range_prints_all_the_same() {
    let parts = |field, seconds, nanos| bytes(field, &[int(1, seconds), int(2, nanos)].concat());
    for (wire, printed) in [
        (
            [bytes(DURATION, &int(1, 5)), bytes(DURATION, &int(2, -5))].concat(),
            r#"{"aDuration":"4.999999995s"}"#,
        ),
        (parts(DURATION, i64::MIN, 0), r#"{"aDuration":"-315576000000.999999999s"}"#),
        (parts(TIME, 1, -1), r#"{"aTime":"1970-01-01T00:00:00.999999999Z"}"#),
        (parts(TIME, i64::MAX, 0), r#"{"aTime":"9999-12-31T23:59:59.999999999Z"}"#),
    ] {
        assert!(checked(&wire).is_err(), "{printed}");
        assert_eq!(print(&wire).as_deref(), Ok(printed));
        assert!(read(printed).is_ok(), "{printed}");
    }
}

#[test]
fn pieces_cost_no_more_than_their_bytes() {
    // Two pieces at every level: checked one by one and together, they would double 90 times.
    let mut wire = read(r#"{"aDuration": "5s"}"#).unwrap();
    for _ in 0..90 {
        wire = [bytes(NESTED, &wire), bytes(NESTED, &int(3, 7))].concat();
    }
    assert_eq!(checked(&wire), Ok(()));
    assert!(print(&wire).unwrap().contains(r#"{"anInt32":7,"aDuration":"5s"}"#));
}

#[test]
fn a_oneof_is_its_last_run() {
    let nested = |json: &str| bytes(NESTED, &read(json).unwrap());
    let (mime, data) = (nested(r#"{"aString": "mime"}"#), nested(r#"{"someBytes": "AAAA"}"#));
    for (wire, printed) in [
        ([&mime[..], &data].concat(), r#"{"nested":{"aString":"mime","someBytes":"AAAA"}}"#),
        ([&mime[..], &int(NUMBER, 1), &data].concat(), r#"{"nested":{"someBytes":"AAAA"}}"#),
        (
            [&mime[..], &int(NUMBER, 1), &mime, &int(3, 7), &data].concat(),
            r#"{"anInt32":7,"nested":{"aString":"mime","someBytes":"AAAA"}}"#,
        ),
        ([&int(NUMBER, 1)[..], &mime, &int(NUMBER, 2)].concat(), r#"{"number":2}"#),
    ] {
        assert_eq!(print(&wire).as_deref(), Ok(printed));
        let tree: serde_json::Value = serde_json::from_str(printed).unwrap();
        assert_eq!(serde_json::to_value(dynamic(&wire)).unwrap(), tree);
    }
}

#[test]
fn a_value_is_its_last_kind() {
    let (one, two) = (bytes(5, &structure("a", 1)), bytes(5, &structure("b", 2)));
    let list = |text: &str| bytes(6, &bytes(1, &bytes(3, text.as_bytes())));
    for (value, printed) in [
        // A field that is not known is no kind.
        ([bytes(3, b"x"), int(9, 1)].concat(), r#""x""#),
        ([bytes(3, b"x"), int(1, 0)].concat(), "null"),
        ([one.clone(), two.clone()].concat(), r#"{"a":1,"b":2}"#),
        ([one.clone(), int(9, 1), two.clone()].concat(), r#"{"a":1,"b":2}"#),
        ([one.clone(), int(4, 1), two.clone()].concat(), r#"{"b":2}"#),
        ([list("x"), list("y")].concat(), r#"["x","y"]"#),
        ([list("x"), one.clone(), list("y")].concat(), r#"["y"]"#),
        ([list("x"), one, two].concat(), r#"{"a":1,"b":2}"#),
    ] {
        let wire = bytes(VALUE, &value);
        assert_eq!(checked(&wire), Ok(()));
        assert_eq!(print(&wire).unwrap(), format!("{{\"aValue\":{printed}}}"));
    }
    let entry = [bytes(1, b"k"), bytes(2, &list("x")), bytes(2, &list("y"))].concat();
    let wire = bytes(VALUE, &bytes(5, &bytes(1, &entry)));
    assert_eq!(print(&wire).unwrap(), r#"{"aValue":{"k":["x","y"]}}"#);
}

#[test]
fn the_value_of_an_entry_is_merged() {
    let inner = |json: &str| bytes(2, &read(json).unwrap());
    let entry =
        [int(1, 7), inner(r#"{"aString": "x", "numbers": [1]}"#), inner(r#"{"numbers": [2]}"#)].concat();
    assert_eq!(print(&bytes(BY_INT, &entry)).unwrap(), r#"{"byInt":{"7":{"aString":"x","numbers":[1,2]}}}"#);
}

#[test]
fn of_a_key_that_comes_twice_the_last_value_counts() {
    let entry = |key: &str, value: &str| {
        bytes(BY_STRING, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat())
    };
    let wire = [entry("a", "1"), entry("b", "2"), entry("a", "3")].concat();
    let printed: serde_json::Value = serde_json::from_str(&print(&wire).unwrap()).unwrap();
    assert_eq!(printed, serde_json::json!({"byString": {"a": "3", "b": "2"}}));
    assert_eq!(print(&wire).unwrap().matches("\"a\"").count(), 1);
}

#[test]
fn large_maps_print_in_linear_time() {
    let entry = |n: u32| bytes(BY_INT, &int(1, n.into()));
    let wire: Vec<u8> = (0..200_000).flat_map(entry).collect();
    let start = Instant::now();
    assert!(print(&wire).unwrap().ends_with(r#""199999":{}}}"#));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
