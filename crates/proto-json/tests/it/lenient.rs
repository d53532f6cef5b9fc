//! What is read although it is not how it prints, and how it prints.

use super::{SCHEMA, print, read};

/// Reads and prints again.
fn again(json: &str) -> String {
    print(&read(json).unwrap()).unwrap()
}

#[test]
fn both_spellings_of_names_and_bytes() {
    assert_eq!(again(r#"{"a_string": "x", "some_bytes": "-_8"}"#), r#"{"aString":"x","someBytes":"+/8="}"#);
    for bytes in ["+/8=", "+/8", "-_8=", "-_8"] {
        assert_eq!(again(&format!("{{\"someBytes\": \"{bytes}\"}}")), r#"{"someBytes":"+/8="}"#);
    }
}

#[test]
fn numbers_in_all_their_forms() {
    assert_eq!(
        again(r#"{"anInt32": "7", "anInt64": 2.0, "aUint64": 1e3, "aDouble": "1.5", "aFloat": 3}"#),
        r#"{"aDouble":1.5,"aFloat":3,"anInt32":7,"anInt64":"2","aUint64":"1000"}"#
    );
    assert_eq!(
        again(r#"{"aDouble": "NaN", "aFloat": "-Infinity"}"#),
        r#"{"aDouble":"NaN","aFloat":"-Infinity"}"#
    );
    assert_eq!(
        again(r#"{"color": "RED", "colors": [5, "COLD", 77]}"#),
        r#"{"color":"RED","colors":["BLUE","COLD",77]}"#
    );
}

#[test]
fn struct_numbers_are_doubles_and_whole_ones_have_no_fraction() {
    assert_eq!(
        again(
            r#"{"aStruct": {"z": 1, "a": 1.0, "n": null, "big": 9007199254740993, "neg": -0.0, "f": 0.1}}"#
        ),
        r#"{"aStruct":{"z":1,"a":1,"n":null,"big":9007199254740992,"neg":-0,"f":0.1}}"#
    );
}

#[test]
fn null_is_no_value_but_in_a_value() {
    assert_eq!(
        again(r#"{"aString": null, "inner": null, "numbers": null, "byString": null, "aTime": null}"#),
        "{}"
    );
    assert_eq!(again(r#"{"aValue": null}"#), r#"{"aValue":null}"#);
    assert_eq!(again(r#"{"values": [null, 1]}"#), r#"{"values":[null,1]}"#);
    assert_eq!(again(r#"{"text": null, "number": 1}"#), r#"{"number":1}"#);
}

#[test]
fn presence_decides_what_is_printed_at_its_default() {
    assert_eq!(again(r#"{"anInt32": 0, "aString": "", "aBool": false, "color": 0, "numbers": []}"#), "{}");
    assert_eq!(
        again(r#"{"maybeInt": 0, "maybeString": "", "inner": {}, "text": ""}"#),
        r#"{"inner":{},"maybeInt":0,"maybeString":"","text":""}"#
    );
    assert_eq!(again(r#"{"numbers": [0, 0], "truths": [false]}"#), r#"{"numbers":[0,0],"truths":[false]}"#);
}

#[test]
fn timestamps_and_durations() {
    for (text, printed) in [
        ("\"2025-01-01T00:00:02+00:00\"", "2025-01-01T00:00:02Z"),
        ("\"2025-01-01T05:30:02.5+05:30\"", "2025-01-01T00:00:02.500Z"),
        ("\"0001-01-01T00:00:00Z\"", "0001-01-01T00:00:00Z"),
        ("\"9999-12-31T23:59:59.999999999Z\"", "9999-12-31T23:59:59.999999999Z"),
        ("\"2025-01-01T00:00:02.123456Z\"", "2025-01-01T00:00:02.123456Z"),
        ("{\"seconds\": \"1735689602\", \"nanos\": 5000}", "2025-01-01T00:00:02.000005Z"),
        ("{\"seconds\": 1735689602}", "2025-01-01T00:00:02Z"),
        ("{}", "1970-01-01T00:00:00Z"),
    ] {
        assert_eq!(again(&format!("{{\"aTime\": {text}}}")), format!("{{\"aTime\":\"{printed}\"}}"));
    }
    assert_eq!(again(r#"{"aDuration": "86400s"}"#), r#"{"aDuration":"86400s"}"#);
    assert_eq!(again(r#"{"aDuration": "-1.000000001s"}"#), r#"{"aDuration":"-1.000000001s"}"#);
    assert_eq!(again(r#"{"aDuration": {"seconds": 3}}"#), r#"{"aDuration":"3s"}"#);
}

#[test]
fn other_well_known_types() {
    assert_eq!(again(r#"{"aMask": "displayName,a.b_c"}"#), r#"{"aMask":"displayName,a.bC"}"#);
    assert_eq!(again(r#"{"nothing": {}}"#), r#"{"nothing":{}}"#);
    assert_eq!(
        again(r#"{"wrappedLong": "5", "wrappedBool": false}"#),
        r#"{"wrappedLong":"5","wrappedBool":false}"#
    );
    assert_eq!(
        again(r#"{"anything": {"aString": "x", "@type": "type.googleapis.com/test.Every"}}"#),
        r#"{"anything":{"@type":"type.googleapis.com/test.Every","aString":"x"}}"#
    );
    assert_eq!(
        again(r#"{"anything": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}}"#),
        r#"{"anything":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}"#
    );
}

#[test]
fn pieces_of_a_message_on_the_wire_are_one_message() {
    let mut wire = read(r#"{"inner": {"aString": "x", "numbers": [1]}, "text": "t"}"#).unwrap();
    wire.extend(read(r#"{"inner": {"aString": "y", "numbers": [2]}, "number": 5}"#).unwrap());
    assert_eq!(print(&wire).unwrap(), r#"{"inner":{"aString":"y","numbers":[1,2]},"number":5}"#);
}

#[test]
fn parameters() {
    let parameter = |name: &str, value: &str| {
        let mut wire = Vec::new();
        proto_json::parameter_to_wire(&SCHEMA, SCHEMA.message("test.Every").unwrap(), name, value, &mut wire)
            .map(|()| print(&wire).unwrap())
            .map_err(|error| error.message)
    };
    for (name, value, printed) in [
        ("anInt32", "5", r#"{"anInt32":5}"#),
        ("an_int32", "-5", r#"{"anInt32":-5}"#),
        ("aBool", "true", r#"{"aBool":true}"#),
        ("aBool", "false", "{}"),
        ("aString", "", "{}"),
        ("inner.inner.aString", "x", r#"{"inner":{"inner":{"aString":"x"}}}"#),
        ("color", "BLUE", r#"{"color":"BLUE"}"#),
        ("color", "5", r#"{"color":"BLUE"}"#),
        ("aMask", "displayName,b", r#"{"aMask":"displayName,b"}"#),
        ("aDuration", "5s", r#"{"aDuration":"5s"}"#),
        ("aTime", "2025-01-01T00:00:00Z", r#"{"aTime":"2025-01-01T00:00:00Z"}"#),
        ("numbers", "3", r#"{"numbers":[3]}"#),
        ("wrappedBool", "true", r#"{"wrappedBool":true}"#),
    ] {
        assert_eq!(parameter(name, value).as_deref(), Ok(printed), "{name}={value}");
    }
    assert_eq!(
        parameter("foo.bar", "1"),
        Err("Invalid JSON payload received. Unknown name \"foo.bar\": Cannot bind query parameter. \
             Field 'foo.bar' could not be found in request message."
            .to_owned())
    );
    assert!(parameter("inner", "x").unwrap_err().contains("Cannot bind query parameter"));
    assert_eq!(parameter("anInt32", "x"), Err("Invalid value at 'an_int32' (TYPE_INT32), \"x\"".to_owned()));
    assert!(parameter("aDuration", "5").unwrap_err().contains("duration must end with 's'"));
    assert!(parameter("aBool", "yes").is_err());
}
