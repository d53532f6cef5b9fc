//! Timestamps, durations and field masks as text.

use crate::content::Content;
use crate::schema::{WellKnown, camel_case};
use crate::wire::{RawField, RawValue, WireType, put_bytes, put_tag, put_varint};

/// The field numbers of the kinds of a `google.protobuf.Value`.
pub(crate) mod value_kind {
    pub(crate) const NULL: u32 = 1;
    pub(crate) const NUMBER: u32 = 2;
    pub(crate) const STRING: u32 = 3;
    pub(crate) const BOOL: u32 = 4;
    pub(crate) const STRUCT: u32 = 5;
    pub(crate) const LIST: u32 = 6;
}

/// 0001-01-01T00:00:00Z and the last second of 9999, as protobuf bounds timestamps.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About 10,000 years either way, as protobuf bounds durations.
const DURATIONS: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;
const BILLION: i64 = 1_000_000_000;

/// Reads RFC 3339 with any offset.
pub(crate) fn read_timestamp(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let format = "Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone offset.";
    // The parser reads more than RFC 3339: dates alone, a space for the T.
    let plain = |text: &&str| {
        let zoned =
            text.ends_with(['Z', 'z']) || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
        zoned
            && text.get(10..11).is_some_and(|t| t.eq_ignore_ascii_case("T"))
            && text.bytes().all(|b| b.is_ascii_digit() || b"-+:.TtZz".contains(&b))
    };
    let upper = Some(text).filter(plain).map(str::to_ascii_uppercase).ok_or(format)?;
    let prost_types::Timestamp { seconds, nanos } = upper.parse().map_err(|_| format)?;
    if !TIMESTAMPS.contains(&seconds) {
        return Err("Timestamp value exceeds limits; it must be between 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z.".to_owned());
    }
    put_parts(seconds, nanos, out);
    Ok(())
}

/// Reads seconds with at most nine decimals and an `s` behind.
pub(crate) fn read_duration(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let format = || "Illegal duration format; duration must end with 's'.".to_owned();
    let number = text.strip_suffix('s').ok_or_else(format)?;
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(format());
    }
    let sign = if negative { -1 } else { 1 };
    let seconds = whole.parse::<i64>().ok().map(|seconds| seconds * sign).filter(|s| DURATIONS.contains(s));
    let seconds = seconds.ok_or("Duration value exceeds limits.")?;
    let scale = 10i32.pow(9 - fraction.len() as u32);
    let nanos = fraction.parse::<i32>().map_err(|_| format())? * scale * sign as i32;
    put_parts(seconds, nanos, out);
    Ok(())
}

fn put_parts(seconds: i64, nanos: i32, out: &mut Vec<u8>) {
    for (number, value) in [(1, seconds), (2, i64::from(nanos))] {
        if value != 0 {
            put_tag(out, number, WireType::Varint);
            put_varint(out, value as u64);
        }
    }
}

/// Reads paths between commas, in camel or snake case, into snake case.
pub(crate) fn read_field_mask(text: &str, out: &mut Vec<u8>) {
    for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
        put_bytes(out, 1, snake_case(path).as_bytes());
    }
}

fn snake_case(path: &str) -> String {
    let mut snake = String::with_capacity(path.len() + 4);
    for c in path.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// The seconds and nanoseconds of a timestamp or a duration; `None` where the bytes make no sense.
pub(crate) fn read_parts(wire: &Content<'_>) -> Option<(i64, i64)> {
    let (mut seconds, mut nanos) = (0, 0);
    for raw in wire.fields() {
        let raw = raw.ok()?;
        match (raw.number, raw.value) {
            (1, RawValue::Varint(value)) => seconds = value as i64,
            (2, RawValue::Varint(value)) => nanos = i64::from(value as i32),
            _ => {}
        }
    }
    Some((seconds, nanos))
}

/// Whether a message has a JSON form: timestamps and durations have bounds, a `Value` holds no NaN and no
/// infinity, others have none.
pub(crate) fn in_range(well_known: Option<WellKnown>, wire: &Content<'_>) -> bool {
    let fits = match well_known {
        Some(WellKnown::Value) => return holds_json_numbers(wire),
        Some(WellKnown::Timestamp) => timestamp_fits,
        Some(WellKnown::Duration) => duration_fits,
        _ => return true,
    };
    read_parts(wire).is_some_and(|(seconds, nanos)| fits(seconds, nanos))
}

fn holds_json_numbers(wire: &Content<'_>) -> bool {
    wire.fields().all(|raw| match raw {
        Ok(RawField { number: value_kind::NUMBER, value: RawValue::Fixed64(bits), .. }) => {
            f64::from_bits(bits).is_finite()
        }
        // What is malformed is found by those who read it.
        _ => true,
    })
}

fn timestamp_fits(seconds: i64, nanos: i64) -> bool {
    TIMESTAMPS.contains(&seconds) && (0..BILLION).contains(&nanos)
}

fn duration_fits(seconds: i64, nanos: i64) -> bool {
    let mixed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    !mixed && DURATIONS.contains(&seconds) && (1 - BILLION..BILLION).contains(&nanos)
}

/// Prints RFC 3339 in UTC with 0, 3, 6 or 9 decimals.
///
/// What is out of range is refused where it comes in. Should it be stored all the same, readers get the
/// nearest that can be said rather than no answer: nanoseconds carry over into seconds, and what lies outside
/// of the years 1 to 9999 is the first or the last moment of them.
pub(crate) fn print_timestamp(seconds: i64, nanos: i64) -> String {
    let (seconds, nanos) =
        whole_and_rest(nearest(seconds, nanos, (*TIMESTAMPS.start(), 0), *TIMESTAMPS.end()));
    let whole = prost_types::Timestamp { seconds, nanos: 0 }.to_string();
    format!("{}{}Z", whole.trim_end_matches('Z'), decimals(nanos.unsigned_abs()))
}

/// Prints seconds with 0, 3, 6 or 9 decimals. Out of range, or of mixed signs, it is the nearest that can be
/// said, as with timestamps.
pub(crate) fn print_duration(seconds: i64, nanos: i64) -> String {
    let total = nearest(seconds, nanos, (*DURATIONS.start(), 1 - BILLION), *DURATIONS.end());
    let sign = if total < 0 { "-" } else { "" };
    let (seconds, nanos) = whole_and_rest(total.abs());
    format!("{sign}{seconds}{}s", decimals(nanos.unsigned_abs()))
}

/// All nanoseconds, at least those of `min` and less than a second more than `max`.
fn nearest(seconds: i64, nanos: i64, min: (i64, i64), max: i64) -> i128 {
    let total = |seconds, nanos| i128::from(seconds) * i128::from(BILLION) + i128::from(nanos);
    total(seconds, nanos).clamp(total(min.0, min.1), total(max, BILLION - 1))
}

/// Seconds and the nanoseconds after them.
fn whole_and_rest(total: i128) -> (i64, i64) {
    let billion = i128::from(BILLION);
    (total.div_euclid(billion) as i64, total.rem_euclid(billion) as i64)
}

fn decimals(nanos: u64) -> String {
    match nanos {
        0 => String::new(),
        n if n % 1_000_000 == 0 => format!(".{:03}", n / 1_000_000),
        n if n % 1_000 == 0 => format!(".{:06}", n / 1_000),
        n => format!(".{n:09}"),
    }
}

/// Prints one path of a mask.
pub(crate) fn print_mask_path(path: &str) -> String {
    path.split('.').map(camel_case).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_stored_in_snake_case() {
        assert_eq!(snake_case("displayName"), "display_name");
        assert_eq!(snake_case("session.expire_time"), "session.expire_time");
        assert_eq!(print_mask_path("a_b.c_d"), "aB.cD");
    }

    #[test]
    fn timestamps_outside_of_rfc_3339_are_refused() {
        for text in [
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00+01:00[Europe/Paris]",
            "",
            "now",
            "-000001-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(read_timestamp(text, &mut Vec::new()).is_err(), "{text}");
        }
        for text in [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
            "2026-01-01T00:00:00+05:30",
            "2026-01-01t00:00:00z",
        ] {
            assert!(read_timestamp(text, &mut Vec::new()).is_ok(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for text in ["1s", "-1.5s", "0.000000001s", "315576000000s"] {
            assert!(read_duration(text, &mut Vec::new()).is_ok(), "{text}");
        }
        for text in [
            "",
            "s",
            "1",
            "1.s",
            ".5s",
            "1.0000000001s",
            "+1s",
            "1e3s",
            "315576000001s",
            "99999999999999999999s",
        ] {
            assert!(read_duration(text, &mut Vec::new()).is_err(), "{text}");
        }
        assert_eq!(print_duration(-1, -500_000_000), "-1.500s");
        assert_eq!(print_duration(0, -1_000), "-0.000001s");
        assert_eq!(print_duration(315_576_000_000, 999_999_999), "315576000000.999999999s");
        assert_eq!(print_timestamp(-62_135_596_800, 1_000), "0001-01-01T00:00:00.000001Z");
        assert_eq!(print_timestamp(-1, 500_000_000), "1969-12-31T23:59:59.500Z");
    }

    #[test]
    fn what_is_out_of_range_prints_as_the_nearest_that_is_not() {
        for (seconds, nanos, printed) in [
            (5, -5, "4.999999995s"),
            (-5, 5, "-4.999999995s"),
            (1, 1_500_000_000, "2.500s"),
            (i64::MAX, i64::MAX, "315576000000.999999999s"),
            (i64::MIN, i64::MIN, "-315576000000.999999999s"),
        ] {
            assert!(!duration_fits(seconds, nanos));
            assert_eq!(print_duration(seconds, nanos), printed);
        }
        for (seconds, nanos, printed) in [
            (0, 1_000_000_000, "1970-01-01T00:00:01Z"),
            (0, -1, "1969-12-31T23:59:59.999999999Z"),
            (i64::MAX, i64::MAX, "9999-12-31T23:59:59.999999999Z"),
            (i64::MIN, i64::MIN, "0001-01-01T00:00:00Z"),
        ] {
            assert!(!timestamp_fits(seconds, nanos));
            assert_eq!(print_timestamp(seconds, nanos), printed);
        }
    }
}
