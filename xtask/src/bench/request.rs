//! The event that is appended: over REST as bytes that are built once a session and only numbered anew for each
//! append, over gRPC as a message.

use std::net::SocketAddr;
use std::ops::Range;

use super::http1;
use super::message::Message;

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
    pub(crate) fn new(address: SocketAddr, session: &str) -> Self {
        let bytes = http1::post(address, &format!("/v1beta1/{session}:appendEvent"), &event());
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

const BEFORE_TEXT: &str = "{\"author\":\"assistant\",\"invocationId\":\"e-##########\",\
    \"timestamp\":\"2026-03-01T12:00:00.#########Z\",\
    \"actions\":{\"stateDelta\":{\"turns\":##########,\"user:last_turn\":\"e-##########\"}},\
    \"eventMetadata\":{\"turnComplete\":true,\"branch\":\"root.assistant\"},\
    \"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"";
const AFTER_TEXT: &str = "\"}]}}";
/// 2026-03-01T12:00:00Z, in seconds.
const TIME: u64 = 1_772_366_400;

/// What the agent says: as long as makes the event's JSON its size.
pub(crate) fn text() -> String {
    let room = EVENT_BYTES.saturating_sub(BEFORE_TEXT.len() + AFTER_TEXT.len());
    "The weather is fine, and the train leaves on time. ".chars().cycle().take(room).collect()
}

/// An event as an agent's turn makes it; the number is in its id, its time and its delta.
fn event() -> String {
    format!("{BEFORE_TEXT}{}{AFTER_TEXT}", text())
}

/// The `AppendEventRequest` that says the same as the JSON of that number.
pub(crate) fn append_message(session: &str, text: &str, number: u64) -> Vec<u8> {
    let id = format!("e-{number}");
    // Digits before the last nine are not in the time, as in the JSON.
    let time = Message::new().number(1, TIME).number(2, number % 1_000_000_000);
    let turns = Message::new().text(1, "turns").message(2, Message::new().double(2, number as f64));
    let last = Message::new().text(1, "user:last_turn").message(2, Message::new().text(3, &id));
    let delta = Message::new().message(1, turns).message(1, last);
    let content = Message::new().text(1, "model").message(2, Message::new().text(1, text));
    let event = Message::new()
        .text(3, "assistant")
        .message(4, content)
        .text(5, &id)
        .message(6, Message::new().message(2, delta))
        .message(8, time)
        .message(11, Message::new().number(3, 1).text(6, "root.assistant"));
    Message::new().text(1, session).message(2, event).bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_number_makes_another_event_of_the_same_size() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut request = Request::new(address, "projects/p/sessions/s");
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
        assert_eq!(next["content"]["parts"][0]["text"], text());
    }

    #[test]
    fn the_message_holds_the_same_texts() {
        let message = append_message("projects/p/sessions/s", &text(), FIRST_NUMBER + 7);
        let holds = |text: &str| message.windows(text.len()).any(|window| window == text.as_bytes());
        for part in ["projects/p/sessions/s", "assistant", "user:last_turn", "e-1000000007", &text()] {
            assert!(holds(part), "{part}");
        }
    }
}
