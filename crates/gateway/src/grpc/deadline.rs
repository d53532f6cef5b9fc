//! The time that a caller gives a call: the `grpc-timeout` header.

use std::time::Duration;

use http::HeaderMap;

/// How long the caller waits; `None` where it does not say so in the header's form, at most eight digits
/// and a unit.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_headers_own_form_counts() {
        let read = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            of(&HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), value)]))
        };
        assert_eq!(read("1H"), Some(Duration::from_secs(3_600)));
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("5m"), Some(Duration::from_millis(5)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("5n"), Some(Duration::from_nanos(5)));
        for text in ["", "S", "5", "-5S", "5s", "123456789S", "5 S"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(of(&HeaderMap::new()), None);
    }
}
