//! Timestamps, durations and field masks as text.

use crate::schema::{WellKnown, camel_case};
use crate::wire::{Fields, RawField, RawValue, WireType, put_bytes, put_tag, put_varint};

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
const BILLION: u32 = 1_000_000_000;

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
pub(crate) fn read_parts(wire: &[u8]) -> Option<(i64, i64)> {
    let (mut seconds, mut nanos) = (0, 0);
    for raw in Fields::of(wire) {
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
pub(crate) fn in_range(well_known: Option<WellKnown>, wire: &[u8]) -> bool {
    let print = match well_known {
        Some(WellKnown::Value) => return holds_json_numbers(wire),
        Some(WellKnown::Timestamp) => print_timestamp,
        Some(WellKnown::Duration) => print_duration,
        _ => return true,
    };
    read_parts(wire).is_some_and(|(seconds, nanos)| print(seconds, nanos).is_some())
}

fn holds_json_numbers(wire: &[u8]) -> bool {
    Fields::of(wire).all(|raw| match raw {
        Ok(RawField { number: value_kind::NUMBER, value: RawValue::Fixed64(bits), .. }) => {
            f64::from_bits(bits).is_finite()
        }
        // What is malformed is found by those who read it.
        _ => true,
    })
}

/// Prints RFC 3339 in UTC with 0, 3, 6 or 9 decimals; `None` out of range.
pub(crate) fn print_timestamp(seconds: i64, nanos: i64) -> Option<String> {
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < BILLION)?;
    if !TIMESTAMPS.contains(&seconds) {
        return None;
    }
    let whole = prost_types::Timestamp { seconds, nanos: 0 }.to_string();
    Some(format!("{}{}Z", whole.strip_suffix('Z')?, decimals(nanos)))
}

/// Prints seconds with 0, 3, 6 or 9 decimals; `None` out of range or of mixed signs.
pub(crate) fn print_duration(seconds: i64, nanos: i64) -> Option<String> {
    let mixed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if mixed || !DURATIONS.contains(&seconds) {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let nanos = u32::try_from(nanos.unsigned_abs()).ok().filter(|nanos| *nanos < BILLION)?;
    Some(format!("{sign}{}{}s", seconds.unsigned_abs(), decimals(nanos)))
}

fn decimals(nanos: u32) -> String {
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
        assert_eq!(print_duration(-1, -500_000_000).as_deref(), Some("-1.500s"));
        assert_eq!(print_duration(1, -1), None);
        assert_eq!(print_timestamp(-62_135_596_800, 1_000).as_deref(), Some("0001-01-01T00:00:00.000001Z"));
        assert_eq!(print_timestamp(0, 1_000_000_000), None);
    }
}
