"""Requests that are sent again: ADK's own retries, and ids that a caller gives. The server takes ADK's ids for
request ids (`--raw-event-ids`)."""

from __future__ import annotations

import asyncio
import datetime
import uuid

import httpx
import pytest
from google.adk.events import Event
from google.api_core import exceptions
from google.genai import types

from adk import SelfHosted
from generated import TRANSPORTS, VERSIONS, Generated
from losing import losing
from server import Server, make_session, report
from settled import collected, settled

NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
HEADER = "x-colloquy-request-id"


def said(text: str) -> Event:
    """An event of the user's."""
    return Event(author="user", invocation_id="i", content=types.UserContent(text))


def test_adk_appends_once_although_answers_are_lost(server: Server, engine: str) -> None:
    """ADK tries an append again by itself when it is told to wait: the event is there once."""
    report("google-adk")

    async def scenario(url: str, answered: list[int]) -> None:
        service = SelfHosted(url)
        session = await service.create_session(app_name=engine, user_id="ann")
        for text in ("one", "two", "three"):
            await service.append_event(session, said(text))
        assert answered == [200] * 6
        kept = await SelfHosted(server.url).get_session(app_name=engine, user_id="ann", session_id=session.id)
        assert [event.content.parts[0].text for event in kept.events] == ["one", "two", "three"]

    with losing(server, "appendEvent") as (url, answered):
        asyncio.run(scenario(url, answered))


def test_the_same_adk_event_is_stored_once_and_another_under_its_id_is_refused(
    server: Server, engine: str
) -> None:
    """What an application sends again itself, after a failure that it cannot explain, is safe too."""

    async def scenario() -> None:
        service = SelfHosted(server.url)
        session = await service.create_session(app_name=engine, user_id="ann")
        event = said("hello")
        for _ in range(3):
            await service.append_event(session, event)
        other = said("something else")
        other.id = event.id
        with pytest.raises(Exception, match="request id"):
            await service.append_event(session, other)
        kept = await SelfHosted(server.url).get_session(app_name=engine, user_id="ann", session_id=session.id)
        assert [event.content.parts[0].text for event in kept.events] == ["hello"]

    asyncio.run(scenario())


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_generated_clients_name_their_requests(
    server: Server, rest: httpx.Client, engine: str, version: str, transport: str
) -> None:
    """Metadata over gRPC and headers over REST are the same to the generated clients."""
    report("google-cloud-aiplatform")

    async def life() -> None:
        async with Generated(server, version, transport) as clients:
            wanted = clients.types.Session(user_id="alice")
            key = [(HEADER, str(uuid.uuid4()))]
            made = []
            for _ in range(2):
                operation = await settled(
                    clients.sessions.create_session(parent=engine, session=wanted, metadata=key)
                )
                made.append((await settled(operation.result())).name)
            assert made[0] == made[1]
            with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict)):
                other = clients.types.Session(user_id="bob")
                await settled(clients.sessions.create_session(parent=engine, session=other, metadata=key))

            session = make_session(rest, engine)
            event = clients.types.SessionEvent(author="user", invocation_id="i", timestamp=NOW)
            key = [(HEADER, str(uuid.uuid4()))]
            for _ in range(3):
                await settled(clients.sessions.append_event(name=session, event=event, metadata=key))
            event.author = "agent"
            with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict)):
                await settled(clients.sessions.append_event(name=session, event=event, metadata=key))
            assert len(await collected(await settled(clients.sessions.list_events(parent=session)))) == 1

            key = [(HEADER, str(uuid.uuid4()))]
            deletions = []
            for _ in range(2):
                operation = await settled(clients.sessions.delete_session(name=session, metadata=key))
                await settled(operation.result())
                deletions.append(operation.operation.name)
            assert deletions[0] == deletions[1]
            with pytest.raises(exceptions.NotFound):
                await settled(clients.sessions.delete_session(name=session))

    asyncio.run(life())
