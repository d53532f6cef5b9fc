"""What Google's "manage sessions" page shows, through Google's own Python clients."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import dataclass
from typing import Any

import agentplatform
import httpx
import pytest
import vertexai
from google.genai.errors import ClientError
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials

from server import LOCATION, PROJECT, Server, report
from settled import settled

START = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
EVENTS = 250
# More than one page of the server's default size, so that the client has to follow tokens.
ALICE_SESSIONS = 7
PAGE_SIZE = 3


class AgentPlatform:
    """`agentplatform.Client`: engines are `runtimes`, sessions hang off the client."""

    def __init__(self, client: agentplatform.Client, *, asynchronous: bool) -> None:
        # The async client publishes no more of engines than their deletion.
        self.engines = client.runtimes
        self.aio = client.aio if asynchronous else None
        self.delete_engine = (self.aio or client).runtimes.delete
        self.sessions = (self.aio or client).sessions
        self.update = self.sessions.update


class VertexAi:
    """`vertexai.Client`: engines are `agent_engines`, and sessions hang off those."""

    def __init__(self, client: vertexai.Client, *, asynchronous: bool) -> None:
        self.engines = client.agent_engines
        self.aio = client.aio if asynchronous else None
        self.delete_engine = (self.aio or client).agent_engines.delete
        self.sessions = (self.aio or client).agent_engines.sessions
        # This client publishes no `update`; its own samples call this one.
        self.update = self.sessions._update


def http_options(server: Server, kind: str) -> HttpOptions:
    """Where to call, and for an async client with what: aiohttp where that is installed, httpx where asked to."""
    if kind == "async over httpx":
        return HttpOptions(base_url=server.url, httpx_async_client=httpx.AsyncClient())
    return HttpOptions(base_url=server.url)


async def pages(pager: Any) -> list[list[Any]]:
    """All pages of a client's pager."""
    pager = await settled(pager)
    found = [list(pager.page)]
    while True:
        try:
            found.append(list(await settled(pager.next_page())))
        except IndexError:
            return found


async def listed(pager: Any) -> list[Any]:
    """All that a client's pager lists."""
    return [entry for page in await pages(pager) for entry in page]


async def append_events(sessions: Any, session: str) -> None:
    """Appends EVENTS events one second apart, each with a delta in every scope."""
    for number in range(EVENTS):
        appended = sessions.events.append(
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
        await settled(appended)


KINDS = ("sync", "async over aiohttp", "async over httpx")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrapper", [AgentPlatform, VertexAi], ids=["agentplatform", "vertexai"])
def test_the_documented_life_of_a_session(
    server: Server, wrapper: type[AgentPlatform | VertexAi], kind: str
) -> None:
    """Every step of the documentation works in order, and each answer has what a user counts on."""
    report("google-cloud-aiplatform")
    module = agentplatform if wrapper is AgentPlatform else vertexai

    async def life() -> None:
        # As a user sets it up: base_url works only together with project and location.
        made = module.Client(
            project=PROJECT,
            location=LOCATION,
            # A fixed token: never refreshed, so no machine but this one is ever asked.
            credentials=Credentials(token="local"),
            http_options=http_options(server, kind),
        )
        client = wrapper(made, asynchronous=kind != "sync")
        engine = await make_engine(client)
        made = await make_sessions(client, engine)
        await list_sessions(client, engine, made)
        await append_and_list_events(client, made)
        await refuse_an_event(client, made.first)
        await update_session(client, made.first)
        await delete_all(client, engine, made)
        if client.aio:
            await client.aio.aclose()

    asyncio.run(life())


async def make_engine(client: AgentPlatform | VertexAi) -> str:
    """An engine without code, as the documentation makes it for sessions alone."""
    engine = client.engines.create(config={"display_name": "assistant"}).api_resource
    assert engine.display_name == "assistant"
    assert client.engines.get(name=engine.name).api_resource.name == engine.name
    assert engine.name in [listed.api_resource.name for listed in client.engines.list()]
    client.engines.update(name=engine.name, config={"display_name": "renamed", "description": "told"})
    updated = client.engines.get(name=engine.name).api_resource
    assert (updated.display_name, updated.description) == ("renamed", "told")
    assert (updated.create_time, updated.name) == (engine.create_time, engine.name)
    return engine.name


@dataclass
class Made:
    """The sessions of a life: alice's first, her others, and bob's."""

    first: Any
    others: list[Any]
    bobs: Any


async def make_sessions(client: AgentPlatform | VertexAi, engine: str) -> Made:
    """Sessions with state of every scope, a time to live, an id and labels of the caller's choice."""
    sessions = client.sessions
    made = await settled(
        sessions.create(
            name=engine,
            user_id="alice",
            config={
                "display_name": "first",
                "session_state": {"greeting": "hello", "app:model": "m-1", "user:lang": "de", "count": 0},
                "ttl": "172800s",
                "session_id": "first-session",
                "labels": {"team": "blue", "größe": "klein"},
            },
        )
    )
    assert made.done
    first = made.response
    assert first.name == f"{engine}/sessions/first-session"
    assert (first.user_id, first.display_name) == ("alice", "first")
    assert first.labels == {"team": "blue", "größe": "klein"}
    assert first.session_state == {"greeting": "hello", "app:model": "m-1", "user:lang": "de", "count": 0}
    two_days = datetime.timedelta(days=2)
    assert abs(first.expire_time - first.create_time - two_days) < datetime.timedelta(seconds=1)

    others = []
    for n in range(ALICE_SESSIONS - 1):
        config = {"labels": {"team": "red" if n % 2 else "blue"}}
        made = await settled(sessions.create(name=engine, user_id="alice", config=config))
        others.append(made.response)
    expire_time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=40)
    made = await settled(sessions.create(name=engine, user_id="bob", config={"expire_time": expire_time}))
    bobs = made.response
    assert abs(bobs.expire_time - expire_time) < datetime.timedelta(milliseconds=1)
    assert all(other.name.split("/")[-1].isdigit() for other in [*others, bobs])
    # What belongs to the app is seen by bob, what belongs to alice is not.
    assert bobs.session_state == {"app:model": "m-1"}

    with pytest.raises(ClientError) as taken:
        await settled(sessions.create(name=engine, user_id="alice", config={"session_id": "first-session"}))
    assert (taken.value.code, taken.value.status) == (400, "INVALID_ARGUMENT")
    assert taken.value.message == f"Session with user-provided ID '{first.name}' already exists."
    return Made(first, others, bobs)


async def list_sessions(client: AgentPlatform | VertexAi, engine: str, made: Made) -> None:
    """Lists, over three pages, by user and by label."""
    sessions = client.sessions
    first, others = made.first, made.others
    config = {"filter": 'user_id="alice"', "page_size": PAGE_SIZE}
    walk = await pages(sessions.list(name=engine, config=config))
    assert [len(page) for page in walk] == [3, 3, 1]
    names = [session.name for page in walk for session in page]
    assert sorted(names) == sorted([first.name, *(other.name for other in others)])
    blue = await listed(sessions.list(name=engine, config={"filter": 'labels.team="blue"'}))
    assert {session.name for session in blue} == {first.name, *(other.name for other in others[::2])}
    assert len(await listed(sessions.list(name=engine))) == ALICE_SESSIONS + 1


async def append_and_list_events(client: AgentPlatform | VertexAi, made: Made) -> None:
    """Events, whose deltas reach the session, the user and the app, and none that is temporary."""
    sessions = client.sessions
    first, others, bobs = made.first, made.others, made.bobs
    await append_events(sessions, first.name)
    state = (await settled(sessions.get(name=first.name))).session_state
    assert state == {
        "greeting": "hello",
        "app:model": "m-1",
        "user:lang": "de",
        "count": EVENTS - 1,
        "app:events": EVENTS - 1,
        "user:latest": f"turn-{(EVENTS - 1) // 2}",
        **{f"k{digit}": {"last": EVENTS - 10 + digit} for digit in range(10)},
    }
    assert (await settled(sessions.get(name=others[0].name))).session_state == {
        "app:model": "m-1",
        "app:events": EVENTS - 1,
        "user:lang": "de",
        "user:latest": f"turn-{(EVENTS - 1) // 2}",
    }
    bobs_state = (await settled(sessions.get(name=bobs.name))).session_state
    assert bobs_state == {"app:model": "m-1", "app:events": EVENTS - 1}

    walk = await pages(sessions.events.list(name=first.name))
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
    filtered = {"filter": f'timestamp>="{since.isoformat()}"'}
    late = await pages(sessions.events.list(name=first.name, config=filtered))
    assert [len(page) for page in late] == [100, 20]
    assert late[0][0].timestamp == since


async def refuse_an_event(client: AgentPlatform | VertexAi, first: Any) -> None:
    """What an event lacks is said in the text and in the details of the error."""
    with pytest.raises(ClientError) as missing:
        appended = client.sessions.events.append(
            name=first.name, author="", invocation_id="turn-1", timestamp=START
        )
        await settled(appended)
    assert (missing.value.code, missing.value.status) == (400, "INVALID_ARGUMENT")
    assert missing.value.message == (
        "List of found errors:\t1.Field: event.author; Message: Required field is not set.\t"
    )
    (detail,) = missing.value.details["error"]["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert [violation["field"] for violation in detail["fieldViolations"]] == ["event.author"]


async def update_session(client: AgentPlatform | VertexAi, first: Any) -> None:
    """A mask changes what it names and nothing else, and never the state."""
    before = await settled(client.sessions.get(name=first.name))
    config = {"display_name": "renamed", "user_id": "alice", "update_mask": "displayName"}
    await settled(client.update(name=first.name, config=config))
    renamed = await settled(client.sessions.get(name=first.name))
    assert (renamed.display_name, renamed.labels) == ("renamed", first.labels)
    assert (renamed.expire_time, renamed.session_state) == (first.expire_time, before.session_state)
    with pytest.raises(ClientError) as refused:
        config = {"session_state": {"count": 0}, "user_id": "alice", "update_mask": "sessionState"}
        await settled(client.update(name=first.name, config=config))
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    assert "you can only update it by appending an event" in refused.value.message


async def delete_all(client: AgentPlatform | VertexAi, engine: str, made: Made) -> None:
    """Gone at once, for every way to ask; what belongs to the user stays; an engine with sessions goes by force."""
    sessions = client.sessions
    first, others = made.first, made.others
    assert (await settled(sessions.delete(name=first.name))).done
    for ask in (sessions.get, sessions.events.list, sessions.delete):
        with pytest.raises(ClientError) as gone:
            await settled(ask(name=first.name))
        assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
        assert gone.value.message == f"Session {first.name} not found."
    assert first.name not in [session.name for session in await listed(sessions.list(name=engine))]
    assert (await settled(sessions.get(name=others[0].name))).session_state["user:lang"] == "de"

    with pytest.raises(ClientError) as full:
        await settled(client.delete_engine(name=engine))
    assert (full.value.code, full.value.status) == (400, "FAILED_PRECONDITION")
    assert "contains child resources: sessions" in full.value.message
    await settled(client.delete_engine(name=engine, force=True))
    with pytest.raises(ClientError) as gone:
        client.engines.get(name=engine)
    assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")
    assert gone.value.message == "The ReasoningEngine does not exist."
    with pytest.raises(ClientError) as gone:
        await settled(sessions.get(name=others[0].name))
    assert gone.value.code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_express_mode(server: Server, kind: str) -> None:
    """With an API key and neither project nor location, the same clients work on the short paths."""
    report("google-cloud-aiplatform")

    async def life() -> None:
        made = agentplatform.Client(api_key="local", http_options=http_options(server, kind))
        client = AgentPlatform(made, asynchronous=kind != "sync")
        sessions = client.sessions
        engine = client.engines.create(config={"display_name": "express"}).api_resource
        short = "/".join(engine.name.split("/")[-2:])
        config = {"session_state": {"a": 1}}
        made = await settled(sessions.create(name=short, user_id="alice", config=config))
        session = "/".join(made.response.name.split("/")[-4:])
        appended = sessions.events.append(
            name=session,
            author="user",
            invocation_id="turn-1",
            timestamp=START,
            config={"actions": {"state_delta": {"a": 2}}},
        )
        await settled(appended)
        assert (await settled(sessions.get(name=session))).session_state == {"a": 2}
        events = await listed(sessions.events.list(name=session))
        assert [event.invocation_id for event in events] == ["turn-1"]
        assert [found.name for found in await listed(sessions.list(name=short))] == [made.response.name]
        await settled(sessions.delete(name=session))
        await settled(client.delete_engine(name=short))
        if client.aio:
            await client.aio.aclose()

    asyncio.run(life())
