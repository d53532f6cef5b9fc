"""The JSON of events, compared with what Google's own protobuf library makes of the same events."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest
from google.cloud import aiplatform_v1beta1
from google.protobuf import json_format

import corpus
from server import make_engine, make_session, report

# Always present in an answer, though empty and never sent.
ALWAYS_PRESENT = ("content", "actions", "eventMetadata")
# Fields that Google's clients send and the published type lacks: the server keeps them, the oracle cannot.
BEYOND_PUBLISHED: dict[str, Any] = {
    "actions.requestedToolConfirmations": {"call-1": {"hint": "sure?", "payload": {"n": 1, "none": None}}},
    "actions.endOfAgent": True,
    "eventMetadata.usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 46},
    "content.parts.0.partMetadata": {"source": "test", "n": [1, 2]},
    "content.parts.0.videoMetadata.fps": 24,
}

FROM_ADK = corpus.bodies()
HAND_MADE = corpus.hand_made()


@pytest.fixture(scope="module")
def session(rest: httpx.Client) -> str:
    """A session that takes the whole corpus; each event has an invocation id of its own."""
    report("protobuf")
    report("google-adk")
    return make_session(rest, make_engine(rest))


def append_and_read(
    rest: httpx.Client, session: str, name: str, body: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """Appends a body, and returns the event that the server lists for it, as an object and as text."""
    answer = rest.post(f"{session}:appendEvent", json=body)
    assert (answer.status_code, answer.text.strip()) == (200, "{}"), answer.text
    token = ""
    while True:
        answer = rest.get(f"{session}/events", params={"pageToken": token} if token else {})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for event in page.get("sessionEvents", []):
            if event["invocationId"] == name:
                return event, answer.text
        token = page.get("nextPageToken", "")
        assert token, f"{name} is not in the list of events"


def at(event: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object that holds a field, made where missing, and the field's name."""
    *parents, field = path.split(".")
    place: Any = event
    for step in parents:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    return place, field


def printed_by_protobuf(body: dict[str, Any]) -> dict[str, Any]:
    """What Google's library prints for the body: parsed into the published type, and printed."""
    event = aiplatform_v1beta1.SessionEvent.pb(aiplatform_v1beta1.SessionEvent())
    json_format.ParseDict(body, event)
    return json_format.MessageToDict(event)


def comparable(event: dict[str, Any]) -> dict[str, Any]:
    """An event with what only a server adds made equal on both sides."""
    event = {key: value for key, value in event.items() if key != "name"}
    return {key: {} for key in ALWAYS_PRESENT} | event


def difference(got: Any, want: Any, path: str = "event") -> list[str]:
    """Where two JSON values differ; a boolean is no number, and numbers are compared by value."""
    if isinstance(got, dict) and isinstance(want, dict):
        found = [f"{path}.{key}: not in the answer" for key in want.keys() - got.keys()]
        found += [f"{path}.{key}: not in the oracle" for key in got.keys() - want.keys()]
        for key in got.keys() & want.keys():
            found += difference(got[key], want[key], f"{path}.{key}")
        return found
    if isinstance(got, list) and isinstance(want, list):
        if len(got) != len(want):
            return [f"{path}: {len(got)} elements, not {len(want)}"]
        return [line for n, pair in enumerate(zip(got, want)) for line in difference(*pair, f"{path}[{n}]")]
    if isinstance(got, bool) != isinstance(want, bool) or got != want:
        return [f"{path}: {got!r}, not {want!r}"]
    return []


@pytest.mark.parametrize(
    ("name", "body"),
    [*FROM_ADK.items(), *HAND_MADE.items()],
    ids=[*(f"adk: {name}" for name in FROM_ADK), *(f"shape: {name}" for name in HAND_MADE)],
)
def test_events_come_back_as_protobuf_prints_them(
    rest: httpx.Client, session: str, name: str, body: dict[str, Any]
) -> None:
    """Whatever a client appends, every other client reads the canonical JSON of it, with nothing lost or bent."""
    body = copy.deepcopy(body) | {"invocationId": name}
    got, _ = append_and_read(rest, session, name, body)
    assert difference(comparable(got), comparable(printed_by_protobuf(body))) == []


def test_fields_beyond_the_published_type_are_kept(rest: httpx.Client, session: str) -> None:
    """What Google's clients or its REST reference have beyond the published type comes back, next to all the rest."""
    published = HAND_MADE["camel case"] | {"invocationId": "beyond"}
    body = copy.deepcopy(published)
    for path, value in BEYOND_PUBLISHED.items():
        parent, field = at(body, path)
        parent[field] = value

    got, _ = append_and_read(rest, session, "beyond", body)
    for path, value in BEYOND_PUBLISHED.items():
        parent, field = at(got, path)
        assert parent.pop(field, None) == value, path
    # Its parent was sent for its sake alone.
    assert got["content"]["parts"][0].pop("videoMetadata") == {}
    assert difference(comparable(got), comparable(printed_by_protobuf(published))) == []


def test_times_as_objects(rest: httpx.Client, session: str) -> None:
    """ADK for Java sends the time as seconds and nanoseconds; readers get the usual text."""
    body = {
        "author": "agent",
        "invocationId": "time object",
        "timestamp": {"seconds": 1772366400, "nanos": 120000000},
    }
    got, _ = append_and_read(rest, session, "time object", body)
    assert got["timestamp"] == "2026-03-01T12:00:00.120Z"


def test_whole_numbers_are_printed_without_a_fraction(rest: httpx.Client, engine: str) -> None:
    """A counter that a client stored as 1 is read as 1 by languages that tell 1 from 1.0."""
    session = make_session(rest, engine)
    body = {
        "author": "a",
        "invocationId": "numbers",
        "timestamp": "2026-03-01T12:00:00Z",
        "actions": {
            "stateDelta": {"whole": 1, "sent_as_double": 2.0, "negative": -3, "half": 0.5, "limit": 2**53}
        },
    }
    _, text = append_and_read(rest, session, "numbers", body)
    # Python tells an int from a float by how it was printed.
    stored = json.loads(text)["sessionEvents"][0]["actions"]["stateDelta"]
    state = json.loads(rest.get(session).text)["sessionState"]
    for printed in (stored, state):
        kinds = {key: type(value).__name__ for key, value in printed.items()}
        assert kinds == {
            "whole": "int",
            "sent_as_double": "int",
            "negative": "int",
            "half": "float",
            "limit": "int",
        }
        assert printed == body["actions"]["stateDelta"]
