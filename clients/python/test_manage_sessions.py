"""What Google's "manage sessions" page shows, through Google's own Python clients."""

from __future__ import annotations

import datetime
from typing import Any

import agentplatform
import pytest
import vertexai
from google.genai.errors import ClientError
from google.oauth2.credentials import Credentials

from server import LOCATION, PROJECT, Server

START = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
EVENTS = 250
# More than one page of the server's default size, so that the client has to follow tokens.
ALICE_SESSIONS = 7
PAGE_SIZE = 3


class AgentPlatform:
    """`agentplatform.Client`: engines are `runtimes`, sessions hang off the client."""

    def __init__(self, options: dict[str, Any]) -> None:
        client = agentplatform.Client(**options)
        self.engines = client.runtimes
        self.sessions = client.sessions
        self.update = client.sessions.update


class VertexAi:
    """`vertexai.Client`: engines are `agent_engines`, and sessions hang off those."""

    def __init__(self, options: dict[str, Any]) -> None:
        client = vertexai.Client(**options)
        self.engines = client.agent_engines
        self.sessions = client.agent_engines.sessions
        # This client publishes no `update`; its own samples call this one.
        self.update = client.agent_engines.sessions._update


@pytest.fixture(params=[AgentPlatform, VertexAi], ids=["agentplatform", "vertexai"])
def client(request: pytest.FixtureRequest, server: Server) -> AgentPlatform | VertexAi:
    """A client as a user sets it up: base_url works only together with project and location."""
    return request.param(
        {
            "project": PROJECT,
            "location": LOCATION,
            # A fixed token: never refreshed, so no machine but this one is ever asked.
            "credentials": Credentials(token="local"),
            "http_options": {"base_url": server.url},
        }
    )


def pages(pager: Any) -> list[list[Any]]:
    """All pages of a client's pager."""
    found = [list(pager.page)]
    while True:
        try:
            found.append(list(pager.next_page()))
        except IndexError:
            return found


def append_events(sessions: Any, session: str) -> None:
    """Appends EVENTS events one second apart, each with a delta in every scope."""
    for number in range(EVENTS):
        sessions.events.append(
            name=session,
            author="user" if number % 2 == 0 else "assistant",
            invocation_id=f"turn-{number // 2}",
            timestamp=START + datetime.timedelta(seconds=number),
            config={
                "content": {"role": "user", "parts": [{"text": f"message {number} – ünïcode 🙂"}]},
                "actions": {
                    "state_delta": {
                        "count": number,
                        f"k{number % 10}": {"last": number},
                        "app:events": number,
                        "user:latest": f"turn-{number // 2}",
                        "temp:scratch": number,
                    }
                },
                "event_metadata": {"turn_complete": True, "branch": "main"},
            },
        )


def test_the_documented_life_of_a_session(client: AgentPlatform | VertexAi) -> None:
    """Every step of the documentation works in order, and each answer has what a user counts on."""
    sessions = client.sessions

    # Engines: made without code, as the documentation does for sessions alone.
    engine = client.engines.create(config={"display_name": "assistant"}).api_resource
    assert engine.display_name == "assistant"
    assert client.engines.get(name=engine.name).api_resource.name == engine.name
    assert engine.name in [listed.api_resource.name for listed in client.engines.list()]

    # Sessions: with state of every scope, a time to live, an id and labels of the caller's choice.
    made = sessions.create(
        name=engine.name,
        user_id="alice",
        config={
            "display_name": "first",
            "session_state": {"greeting": "hello", "app:model": "m-1", "user:lang": "de", "count": 0},
            "ttl": "172800s",
            "session_id": "first-session",
            "labels": {"team": "blue", "größe": "klein"},
        },
    )
    assert made.done
    first = made.response
    assert first.name == f"{engine.name}/sessions/first-session"
    assert (first.user_id, first.display_name) == ("alice", "first")
    assert first.labels == {"team": "blue", "größe": "klein"}
    assert first.session_state == {"greeting": "hello", "app:model": "m-1", "user:lang": "de", "count": 0}
    assert abs(first.expire_time - first.create_time - datetime.timedelta(days=2)) < datetime.timedelta(
        seconds=1
    )

    others = [
        sessions.create(
            name=engine.name, user_id="alice", config={"labels": {"team": "red" if n % 2 else "blue"}}
        ).response
        for n in range(ALICE_SESSIONS - 1)
    ]
    expire_time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=40)
    bobs = sessions.create(name=engine.name, user_id="bob", config={"expire_time": expire_time}).response
    assert abs(bobs.expire_time - expire_time) < datetime.timedelta(milliseconds=1)
    assert all(other.name.split("/")[-1].isdigit() for other in [*others, bobs])
    # What belongs to the app is seen by bob, what belongs to alice is not.
    assert bobs.session_state == {"app:model": "m-1"}

    with pytest.raises(ClientError) as taken:
        sessions.create(name=engine.name, user_id="alice", config={"session_id": "first-session"})
    assert (taken.value.code, taken.value.status) == (400, "INVALID_ARGUMENT")
    assert "already exists" in taken.value.message

    # Lists: a filter, over three pages.
    walk = pages(
        sessions.list(name=engine.name, config={"filter": 'user_id="alice"', "page_size": PAGE_SIZE})
    )
    assert [len(page) for page in walk] == [3, 3, 1]
    listed = [session.name for page in walk for session in page]
    assert sorted(listed) == sorted([first.name, *(other.name for other in others)])
    blue = sessions.list(name=engine.name, config={"filter": 'labels.team="blue"'})
    assert {session.name for session in blue} == {first.name, *(other.name for other in others[::2])}
    assert len(list(sessions.list(name=engine.name))) == ALICE_SESSIONS + 1

    # Events: their deltas reach the session, the user and the app, and none that is temporary.
    append_events(sessions, first.name)
    state = sessions.get(name=first.name).session_state
    assert state == {
        "greeting": "hello",
        "app:model": "m-1",
        "user:lang": "de",
        "count": EVENTS - 1,
        "app:events": EVENTS - 1,
        "user:latest": f"turn-{(EVENTS - 1) // 2}",
        **{f"k{digit}": {"last": EVENTS - 10 + digit} for digit in range(10)},
    }
    assert sessions.get(name=others[0].name).session_state == {
        "app:model": "m-1",
        "app:events": EVENTS - 1,
        "user:lang": "de",
        "user:latest": f"turn-{(EVENTS - 1) // 2}",
    }
    assert sessions.get(name=bobs.name).session_state == {"app:model": "m-1", "app:events": EVENTS - 1}

    walk = pages(sessions.events.list(name=first.name))
    assert [len(page) for page in walk] == [100, 100, 50]
    events = [event for page in walk for event in page]
    assert [event.timestamp for event in events] == [
        START + datetime.timedelta(seconds=n) for n in range(EVENTS)
    ]
    assert [event.content.parts[0].text for event in events] == [
        f"message {n} – ünïcode 🙂" for n in range(EVENTS)
    ]
    assert len({event.name for event in events}) == EVENTS
    assert events[7].name.startswith(f"{first.name}/events/")
    assert (events[7].author, events[7].invocation_id) == ("assistant", "turn-3")
    assert events[7].actions.state_delta["temp:scratch"] == 7
    assert events[7].event_metadata.branch == "main"

    since = START + datetime.timedelta(seconds=EVENTS - 120)
    late = pages(
        sessions.events.list(name=first.name, config={"filter": f'timestamp>="{since.isoformat()}"'})
    )
    assert [len(page) for page in late] == [100, 20]
    assert late[0][0].timestamp == since

    # Updates: a mask changes what it names and nothing else.
    client.update(
        name=first.name,
        config={"display_name": "renamed", "user_id": "alice", "update_mask": "displayName"},
    )
    renamed = sessions.get(name=first.name)
    assert (renamed.display_name, renamed.labels) == ("renamed", first.labels)
    assert (renamed.expire_time, renamed.session_state) == (first.expire_time, state)
    with pytest.raises(ClientError) as refused:
        client.update(
            name=first.name,
            config={"session_state": {"count": 0}, "user_id": "alice", "update_mask": "sessionState"},
        )
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    assert "you can only update it by appending an event" in refused.value.message

    # Deletion: gone at once, for every way to ask; what belongs to the user stays.
    assert sessions.delete(name=first.name).done
    for ask in (
        lambda: sessions.get(name=first.name),
        lambda: list(sessions.events.list(name=first.name)),
        lambda: sessions.delete(name=first.name),
    ):
        with pytest.raises(ClientError) as gone:
            ask()
        assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
        assert gone.value.message == f"Session {first.name} not found."
    assert first.name not in [session.name for session in sessions.list(name=engine.name)]
    assert sessions.get(name=others[0].name).session_state["user:lang"] == "de"

    # An engine with sessions goes only by force.
    with pytest.raises(ClientError) as full:
        client.engines.delete(name=engine.name)
    assert (full.value.code, full.value.status) == (400, "FAILED_PRECONDITION")
    assert "contains child resources: sessions" in full.value.message
    client.engines.delete(name=engine.name, force=True)
    with pytest.raises(ClientError) as gone:
        client.engines.get(name=engine.name)
    assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
    assert gone.value.message == "The ReasoningEngine does not exist."
    with pytest.raises(ClientError) as gone:
        sessions.get(name=others[0].name)
    assert gone.value.code == 404


def test_express_mode(server: Server) -> None:
    """With an API key and neither project nor location, the same clients work on the short paths."""
    client = agentplatform.Client(api_key="local", http_options={"base_url": server.url})
    engine = client.runtimes.create(config={"display_name": "express"}).api_resource
    short = "/".join(engine.name.split("/")[-2:])
    session = client.sessions.create(name=short, user_id="alice", config={"session_state": {"a": 1}}).response
    short_session = "/".join(session.name.split("/")[-4:])
    client.sessions.events.append(
        name=short_session,
        author="user",
        invocation_id="turn-1",
        timestamp=START,
        config={"actions": {"state_delta": {"a": 2}}},
    )
    assert client.sessions.get(name=short_session).session_state == {"a": 2}
    assert [event.invocation_id for event in client.sessions.events.list(name=short_session)] == ["turn-1"]
    assert [listed.name for listed in client.sessions.list(name=short)] == [session.name]
    client.sessions.delete(name=short_session)
    client.runtimes.delete(name=short)
