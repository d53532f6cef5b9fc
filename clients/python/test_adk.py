"""ADK's `VertexAiSessionService`, as it is published, in a real `Runner`."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable

import httpx
import pytest
from google.adk.events import Event
from google.adk.runners import Runner
from google.adk.sessions import VertexAiSessionService
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai import types

from adk import SelfHosted, travel_agent
from server import Server, report

TURNS = 20
# A turn's events: the user's message, the call, the tool's answer, the report.
EVENTS_PER_TURN = 4


async def converse(runner: Runner, user: str, session: str, turns: int) -> list[Event]:
    """Plays `turns` turns, and returns what the runner yielded."""
    events = []
    for turn in range(turns):
        message = types.Content(role="user", parts=[types.Part.from_text(text=f"Please book city-{turn}")])
        async for event in runner.run_async(user_id=user, session_id=session, new_message=message):
            events.append(event)
    return events


def as_stored(event: Event) -> dict[str, object]:
    """All of an event; its time in microseconds, which is what the client sends."""
    made = datetime.datetime.fromtimestamp(event.timestamp, tz=datetime.timezone.utc)
    return event.model_dump() | {"timestamp": made}


def run(server: Server, scenario: Callable[[SelfHosted], Awaitable[None]]) -> None:
    """Runs a scenario on one event loop, to which ADK ties its client."""
    report("google-adk")

    async def main() -> None:
        await scenario(SelfHosted(server.url))

    asyncio.run(main())


def test_a_conversation_with_tools_survives_in_full(server: Server, engine: str) -> None:
    """An agent's twentieth turn still sees all that went before, and every event is read back as it was made."""

    async def scenario(service: SelfHosted) -> None:
        runner = Runner(app_name=engine, agent=travel_agent(), session_service=service)
        session = await service.create_session(
            app_name=engine, user_id="ann", state={"bookings": 0, "app:total": 0, "user:last_city": ""}
        )
        yielded = await converse(runner, "ann", session.id, TURNS)
        assert len(yielded) == TURNS * (EVENTS_PER_TURN - 1)
        assert yielded[-1].content.parts[0].text == f"Trip {TURNS} is booked; messages so far: {TURNS}."

        # A second service has nothing cached: all of this comes from the server.
        kept = await SelfHosted(service.url).get_session(
            app_name=engine, user_id="ann", session_id=session.id
        )
        assert len(kept.events) == TURNS * EVENTS_PER_TURN
        assert kept.state == {
            "bookings": TURNS,
            "app:total": TURNS,
            "user:last_city": f"city-{TURNS - 1}",
        }
        from_agent = [event for event in kept.events if event.author != "user"]
        assert [as_stored(event) for event in from_agent] == [as_stored(event) for event in yielded]
        timestamps = [event.timestamp for event in kept.events]
        assert timestamps == sorted(timestamps)
        call, answer = kept.events[1], kept.events[2]
        assert call.get_function_calls()[0].args == {"city": "city-0"}
        assert call.get_function_calls()[0].id == answer.get_function_responses()[0].id
        assert answer.actions.state_delta["bookings"] == 1
        assert call.usage_metadata.total_token_count == 17
        await runner.close()

    run(server, scenario)


def test_an_agent_reads_only_as_much_as_it_asks_for(server: Server, engine: str) -> None:
    """`num_recent_events` and `after_timestamp` bound what an agent loads from a long conversation."""

    async def scenario(service: SelfHosted) -> None:
        session = await service.create_session(app_name=engine, user_id="ann")
        for number in range(120):
            await service.append_event(
                session,
                Event(
                    author="user",
                    invocation_id=f"turn-{number}",
                    timestamp=1_772_366_400.25 + number,
                    content=types.Content(role="user", parts=[types.Part.from_text(text=f"{number}")]),
                ),
            )

        async def texts(config: GetSessionConfig | None) -> list[str]:
            found = await service.get_session(
                app_name=engine, user_id="ann", session_id=session.id, config=config
            )
            return [event.content.parts[0].text for event in found.events]

        assert await texts(None) == [str(number) for number in range(120)]
        assert await texts(GetSessionConfig(num_recent_events=3)) == ["117", "118", "119"]
        assert await texts(GetSessionConfig(num_recent_events=0)) == []
        after = GetSessionConfig(after_timestamp=1_772_366_400.25 + 115)
        assert await texts(after) == ["115", "116", "117", "118", "119"]
        both = GetSessionConfig(after_timestamp=1_772_366_400.25 + 10, num_recent_events=2)
        assert await texts(both) == ["118", "119"]

    run(server, scenario)


def test_state_reaches_exactly_the_sessions_it_is_meant_for(server: Server, engine: str) -> None:
    """What an agent keeps for the app is seen by everybody, for a user by that user, for a session by nobody else."""

    async def scenario(service: SelfHosted) -> None:
        runner = Runner(app_name=engine, agent=travel_agent(), session_service=service)
        first = await service.create_session(app_name=engine, user_id="ann")
        await converse(runner, "ann", first.id, 2)
        anns = await service.create_session(app_name=engine, user_id="ann", state={"own": True})
        bobs = await service.create_session(app_name=engine, user_id="bob", session_id="bobs-own-id")
        assert anns.state == {"own": True, "app:total": 2, "user:last_city": "city-1"}
        assert bobs.state == {"app:total": 2}
        assert bobs.id == "bobs-own-id"

        await converse(runner, "bob", bobs.id, 1)
        again = await service.get_session(app_name=engine, user_id="ann", session_id=first.id)
        assert again.state == {"bookings": 2, "app:total": 3, "user:last_city": "city-1"}
        events = [event for event in again.events if event.actions.state_delta]
        # ADK itself takes temporary keys out of what it sends.
        assert all(not key.startswith("temp:") for event in events for key in event.actions.state_delta)

        listed = (await service.list_sessions(app_name=engine, user_id="ann")).sessions
        assert [session.id for session in listed] == [first.id, anns.id]
        assert {session.id: session.state for session in listed}[anns.id] == {
            "own": True,
            "app:total": 3,
            "user:last_city": "city-1",
        }
        everybody = (await service.list_sessions(app_name=engine)).sessions
        assert {session.id for session in everybody} == {first.id, anns.id, bobs.id}
        await runner.close()

    run(server, scenario)


def test_users_with_awkward_names_find_their_own_sessions(server: Server, engine: str) -> None:
    """A user id with quotes, backslashes, or letters of any script selects that user's sessions and no others."""
    users = ['quote"quote', "back\\slash", "ünï cödé 🙂", "a OR b", "*"]

    async def scenario(service: SelfHosted) -> None:
        made = {user: (await service.create_session(app_name=engine, user_id=user)).id for user in users}
        for user in users:
            listed = (await service.list_sessions(app_name=engine, user_id=user)).sessions
            assert [(session.user_id, session.id) for session in listed] == [(user, made[user])]

    run(server, scenario)


def test_sessions_that_do_not_exist(server: Server, engine: str) -> None:
    """A session that was deleted or never made is `None`, and another user's is refused."""

    async def scenario(service: SelfHosted) -> None:
        missing = await service.get_session(app_name=engine, user_id="ann", session_id="never-made")
        assert missing is None
        await service.delete_session(app_name=engine, user_id="ann", session_id="never-made")

        session = await service.create_session(app_name=engine, user_id="ann")
        with pytest.raises(ValueError, match="does not belong to user bob"):
            await service.get_session(app_name=engine, user_id="bob", session_id=session.id)
        with pytest.raises(ValueError, match="does not belong to user bob"):
            await service.delete_session(app_name=engine, user_id="bob", session_id=session.id)
        await service.delete_session(app_name=engine, user_id="ann", session_id=session.id)
        assert await service.get_session(app_name=engine, user_id="ann", session_id=session.id) is None
        assert (await service.list_sessions(app_name=engine, user_id="ann")).sessions == []

    run(server, scenario)


def test_express_mode(server: Server, rest: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an API key the service needs neither project, location nor credentials; only the address is overridden."""
    report("google-adk")
    # ADK takes the key only where the environment says that it is not one of Google AI Studio.
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    answer = rest.post("reasoningEngines", json={"displayName": "express"})
    engine = answer.json()["name"].split("/operations/")[0].split("/")[-1]

    class Express(VertexAiSessionService):
        def _api_client_http_options_override(self) -> types.HttpOptions:
            return types.HttpOptions(base_url=server.url)

    async def scenario() -> None:
        service = Express(express_mode_api_key="local")
        runner = Runner(app_name=engine, agent=travel_agent(), session_service=service)
        session = await service.create_session(app_name=engine, user_id="ann")
        await converse(runner, "ann", session.id, 2)
        kept = await service.get_session(app_name=engine, user_id="ann", session_id=session.id)
        assert len(kept.events) == 2 * EVENTS_PER_TURN
        assert kept.state["bookings"] == 2
        await service.delete_session(app_name=engine, user_id="ann", session_id=session.id)
        await runner.close()

    asyncio.run(scenario())
