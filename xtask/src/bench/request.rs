//! The request as bytes, built once a session and only numbered anew for each append.

use std::ops::Range;

/// The size of an event's JSON.
pub(crate) const EVENT_BYTES: usize = 600;
/// The first number: of ten digits, as all later ones are, so that numbers can be written over each other.
pub(crate) const FIRST_NUMBER: u64 = 1_000_000_000;
/// Stands where a digit of the number goes, and nowhere else.
const DIGIT: u8 = b'#';

/// An append to one session.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    /// Where the number's last digits go: all of them, or as many as there is room for.
    slots: Vec<Range<usize>>,
}

impl Request {
    /// The request for a session, by its resource name.
    pub(crate) fn new(host: &str, session: &str) -> Self {
        let event = event();
        let text = format!(
            "POST /v1beta1/{session}:appendEvent HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{event}",
            event.len()
        );
        let bytes = text.into_bytes();
        let mut end = 0;
        let runs = bytes.chunk_by(|left, right| (*left == DIGIT) == (*right == DIGIT));
        let places = runs.map(|run| {
            let start = end;
            end += run.len();
            (run.starts_with(&[DIGIT]), start..end)
        });
        let slots = places.filter_map(|(is_slot, place)| is_slot.then_some(place)).collect();
        Self { bytes, slots }
    }

    /// The bytes to send for append `number`, which has ten digits.
    pub(crate) fn numbered(&mut self, number: u64) -> &[u8] {
        let digits = number.to_string();
        for place in &self.slots {
            let last = digits.len().checked_sub(place.len()).and_then(|start| digits.as_bytes().get(start..));
            if let (Some(slot), Some(last)) = (self.bytes.get_mut(place.clone()), last) {
                slot.copy_from_slice(last);
            }
        }
        &self.bytes
    }
}

/// An event as an agent's turn makes it; the number is in its id, its time and its delta.
fn event() -> String {
    let before_text = "{\"author\":\"assistant\",\"invocationId\":\"e-##########\",\
        \"timestamp\":\"2026-03-01T12:00:00.#########Z\",\
        \"actions\":{\"stateDelta\":{\"turns\":##########,\"user:last_turn\":\"e-##########\"}},\
        \"eventMetadata\":{\"turnComplete\":true,\"branch\":\"root.assistant\"},\
        \"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"";
    let after_text = "\"}]}}";
    let room = EVENT_BYTES.saturating_sub(before_text.len() + after_text.len());
    let text: String =
        "The weather is fine, and the train leaves on time. ".chars().cycle().take(room).collect();
    format!("{before_text}{text}{after_text}")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_number_makes_another_event_of_the_same_size() {
        let mut request = Request::new("127.0.0.1:1", "projects/p/sessions/s");
        let mut event = |number| {
            let text = String::from_utf8(request.numbered(number).to_vec()).expect("UTF-8");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.starts_with("POST /v1beta1/projects/p/sessions/s:appendEvent HTTP/1.1\r\n"));
            assert!(head.contains("Content-Length: 600"));
            assert_eq!(body.len(), EVENT_BYTES);
            serde_json::from_str::<Value>(body).expect("JSON")
        };
        let first = event(FIRST_NUMBER);
        assert_eq!(first["invocationId"], "e-1000000000");
        assert_eq!(first["actions"]["stateDelta"]["turns"], FIRST_NUMBER);
        let next = event(FIRST_NUMBER + 12_345);
        assert_eq!(next["timestamp"], "2026-03-01T12:00:00.000012345Z");
        assert_eq!(next["actions"]["stateDelta"]["user:last_turn"], "e-1000012345");
    }
}
