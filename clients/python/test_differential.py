"""Random work done with ADK's in-memory session service and with this server: agents must not see a difference."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events import Event, EventActions
from google.adk.sessions import BaseSessionService, InMemorySessionService, Session
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai.errors import ClientError

import corpus
from adk import SelfHosted
from server import Server, report

SEEDS = range(12)
STEPS = 80
USERS = ("ann", "bob")
START = 1_772_366_400.0
KEYS = ("a", "b", "with.dots and spaces", "ключ🙂", "")
SCOPES = ("", "app:", "user:", "temp:")
TEMPLATES = corpus.events()


@dataclass
class Step:
    """One call of the service; sessions go by the number in which they were made."""

    call: str
    session: int = 0
    user: str = ""
    session_id: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    event: Event | None = None
    config: GetSessionConfig | None = None


class Script:
    """A random but reproducible sequence of steps, the same for both services."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made = 0
        self.chosen: dict[str, list[str]] = {user: [] for user in USERS}
        self.appended = 0
        self.now = START

    def steps(self) -> list[Step]:
        """All of it; the first makes a session, for the others to have one."""
        return [self.create(), *(self.step() for _ in range(STEPS))]

    def step(self) -> Step:
        """What agents do most comes most often."""
        makers = (self.create, self.append, self.get, self.list, self.delete)
        return self.random.choices(makers, weights=(2, 16, 6, 2, 1))[0]()

    def create(self) -> Step:
        """Makes a session, with an id of its own or, now and then, one that its user has already chosen."""
        user = self.random.choice(USERS)
        # Ids differ by user: that they are taken for everybody is one of the named differences.
        chosen = self.random.choice((None, f"{user}-{self.made}", *self.chosen[user][-1:]))
        self.made += 1
        if chosen:
            self.chosen[user].append(chosen)
        return Step("create", user=user, session_id=chosen, state=self.delta())

    def append(self) -> Step:
        """An event of any kind, no earlier than all before it."""
        self.now += self.random.choice((0, 0.25, 1, 3600))
        self.appended += 1
        event = self.random.choice(list(TEMPLATES.values())).model_copy(deep=True)
        event.id = f"event-{self.appended}"
        event.invocation_id = f"turn-{self.appended // 3}"
        event.timestamp = self.now
        event.actions.state_delta = self.delta()
        return Step("append", session=self.any_session(), event=event)

    def get(self) -> Step:
        """Reads a session whole, or bounded in one of ADK's ways or in both."""
        recent = self.random.choice((None, None, None, None, 0, 1, 3, 1000))
        seconds = self.random.choice((None, None, None, None, 0, 3600, 20_000, 1e6))
        after = None if seconds is None else self.now - seconds
        bounded = recent is not None or after is not None
        config = GetSessionConfig(num_recent_events=recent, after_timestamp=after) if bounded else None
        return Step("get", session=self.any_session(), config=config)

    def list(self) -> Step:
        """Lists a user's sessions, or everybody's."""
        return Step("list", user=self.random.choice((*USERS, "")))

    def delete(self) -> Step:
        """Deletes a session, which later steps may well name again."""
        return Step("delete", session=self.any_session())

    def any_session(self) -> int:
        """One of the latest sessions that were asked for, so that some of them grow long."""
        return max(0, self.made - self.random.choice((1, 1, 2, 2, 3, 8)))

    def delta(self) -> dict[str, Any]:
        """Some keys of any scope, with any JSON for values."""
        count = self.random.choice((0, 1, 1, 2, 4))
        return {
            self.random.choice(SCOPES) + self.random.choice(KEYS): self.value(depth=0) for _ in range(count)
        }

    def value(self, depth: int) -> Any:
        """Any JSON; whole and large numbers as floats are among the named differences."""
        choose = self.random.random
        simple = [None, True, False, "", "ünï\u0000\n\"'🙂", self.random.randrange(-(2**53), 2**53), choose()]
        if depth == 3 or choose() < 0.7:
            return self.random.choice(simple)
        values = [self.value(depth + 1) for _ in range(self.random.randrange(3))]
        return values if choose() < 0.5 else {f"k{n}": value for n, value in enumerate(values)}


class Player:
    """Plays steps with one service, and says after each what its caller sees."""

    def __init__(self, service: BaseSessionService, app: str) -> None:
        self.service = service
        self.app = app
        self.sessions: list[Session | None] = []

    async def play(self, step: Step) -> Any:
        """What a step gives, or why it is refused."""
        try:
            return await getattr(self, step.call)(step)
        except AlreadyExistsError:
            return "taken"
        except SessionNotFoundError:
            return "missing"
        except ClientError as error:
            return "taken" if "already exists" in error.message else {404: "missing"}[error.code]

    async def create(self, step: Step) -> Any:
        """The new session, which is kept for later steps."""
        self.sessions.append(None)
        session = await self.service.create_session(
            app_name=self.app, user_id=step.user, state=dict(step.state), session_id=step.session_id
        )
        self.sessions[-1] = session
        assert step.session_id in (None, session.id)
        return self.seen(session)

    async def append(self, step: Step) -> Any:
        """The caller's copy of the session, which gets the event too."""
        if (session := self.sessions[step.session]) is None:
            return "no session"
        # A caller whose event is refused lets go of its copy: what that then holds is a named difference.
        self.sessions[step.session] = None
        await self.service.append_event(session, step.event.model_copy(deep=True))
        self.sessions[step.session] = session
        return self.seen(session)

    async def get(self, step: Step) -> Any:
        """A fresh copy of the session; if whole, it takes the place of the caller's."""
        if (session := self.sessions[step.session]) is None:
            return "no session"
        found = await self.service.get_session(
            app_name=self.app, user_id=session.user_id, session_id=session.id, config=step.config
        )
        if found and not step.config:
            self.sessions[step.session] = found
        return self.seen(found) if found else None

    async def list(self, step: Step) -> Any:
        """Sessions without their events, by the number in which they were made."""
        numbers = {session.id: number for number, session in enumerate(self.sessions) if session}
        listed = await self.service.list_sessions(app_name=self.app, user_id=step.user or None)
        return {numbers[session.id]: self.seen(session) for session in listed.sessions}

    async def delete(self, step: Step) -> Any:
        """Nothing, whether it was there or not."""
        if (session := self.sessions[step.session]) is None:
            return "no session"
        await self.service.delete_session(
            app_name=self.app, user_id=session.user_id, session_id=session.id
        )
        return None

    def seen(self, session: Session) -> Any:
        """All of a session but its id and its update time, which are among the named differences."""
        assert session.app_name == self.app
        return {"user": session.user_id, "state": exact(session.state), "events": dumps(session.events)}


def dumps(events: list[Event]) -> list[Any]:
    """Events whole; their times in microseconds, which is what the client sends."""
    made = []
    for event in events:
        timestamp = datetime.datetime.fromtimestamp(event.timestamp, tz=datetime.timezone.utc)
        made.append(exact(event.model_dump() | {"timestamp": timestamp}))
    return made


def exact(value: Any) -> Any:
    """A value in which True and 1 are different, as they are for everybody but Python."""
    if isinstance(value, bool):
        return f"bool {value}"
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(inner) for inner in value]
    return value


@pytest.mark.parametrize("seed", SEEDS)
def test_random_work_gives_the_same_with_both_services(server: Server, engine: str, seed: int) -> None:
    """Whatever agents do, each call gives what it gives in memory."""
    report("google-adk")

    async def compare() -> None:
        in_memory, here = Player(InMemorySessionService(), engine), Player(SelfHosted(server.url), engine)
        for number, step in enumerate(Script(seed).steps()):
            want, got = await in_memory.play(step), await here.play(step)
            assert got == want, f"seed {seed}, step {number}: {step}"

    asyncio.run(compare())


App = str
Scenario = Callable[[BaseSessionService, App], Awaitable[Any]]


def plain(number: int, timestamp: float = START, **actions: Any) -> Event:
    """An event that is told from others by its invocation id."""
    return Event(
        id=f"event-{number}",
        author="ann",
        invocation_id=f"turn-{number}",
        timestamp=timestamp,
        actions=EventActions(**actions),
    )


async def outcome(call: Awaitable[Any]) -> str:
    """The name of the error that a call raises, or that it raises none."""
    try:
        await call
    except Exception as error:
        return type(error).__name__
    return "no error"


async def events_of(service: BaseSessionService, app: App, events: list[Event]) -> list[str]:
    """The invocation ids that a session has after some events were appended to it."""
    session = await service.create_session(app_name=app, user_id="ann")
    for event in events:
        await service.append_event(session, event)
    found = await service.get_session(app_name=app, user_id="ann", session_id=session.id)
    return [event.invocation_id for event in found.events]


async def state_after(service: BaseSessionService, app: App, event: Event) -> dict[str, str]:
    """The Python text of each value that a session's state has after an event."""
    session = await service.create_session(app_name=app, user_id="ann")
    await service.append_event(session, event)
    found = await service.get_session(app_name=app, user_id="ann", session_id=session.id)
    return {key: repr(value) for key, value in found.state.items()}


async def made_id_is_number(service: BaseSessionService, app: App) -> bool:
    """What kind of id a session gets."""
    return (await service.create_session(app_name=app, user_id="ann")).id.isdigit()


async def chosen_id(service: BaseSessionService, app: App) -> str:
    """Makes a session with an id such as ADK itself would take."""
    return await outcome(service.create_session(app_name=app, user_id="ann", session_id="Trip_1"))


async def one_id_for_two_users(service: BaseSessionService, app: App) -> str:
    """Makes a session with an id that another user has chosen before."""
    await service.create_session(app_name=app, user_id="ann", session_id="trip")
    return await outcome(service.create_session(app_name=app, user_id="bob", session_id="trip"))


async def reads_anothers(service: BaseSessionService, app: App) -> str:
    """Reads a session of another user's."""
    session = await service.create_session(app_name=app, user_id="ann")
    return await outcome(service.get_session(app_name=app, user_id="bob", session_id=session.id))


async def deletes_anothers(service: BaseSessionService, app: App) -> str:
    """Deletes a session of another user's, which stays in either case."""
    session = await service.create_session(app_name=app, user_id="ann")
    said = await outcome(service.delete_session(app_name=app, user_id="bob", session_id=session.id))
    assert await service.get_session(app_name=app, user_id="ann", session_id=session.id)
    return said


async def updated_when_the_event_happened(service: BaseSessionService, app: App) -> bool:
    """Whether an old event moves the session's update time back."""
    session = await service.create_session(app_name=app, user_id="ann")
    await service.append_event(session, plain(1, timestamp=1.0))
    found = await service.get_session(app_name=app, user_id="ann", session_id=session.id)
    return found.last_update_time == 1.0


async def refused_appends_leave_no_trace(service: BaseSessionService, app: App) -> bool:
    """Whether a refused event's temporary keys stay out of its caller's copy of the session."""
    session = await service.create_session(app_name=app, user_id="ann")
    await service.delete_session(app_name=app, user_id="ann", session_id=session.id)
    assert await outcome(service.append_event(session, plain(1, state_delta={"temp:x": 1}))) != "no error"
    return session.state == {}


@dataclass
class Difference:
    """Something that agents do see, and why it is as it is."""

    name: str
    reason: str
    scenario: Scenario
    in_memory: Any
    here: Any


DIFFERENCES = [
    Difference(
        "order of events",
        "the live service lists events by the time that they carry, not by their arrival",
        lambda service, app: events_of(service, app, [plain(2, START + 2), plain(1, START + 1)]),
        in_memory=["turn-2", "turn-1"],
        here=["turn-1", "turn-2"],
    ),
    Difference(
        "redelivered events",
        "the live service knows no event by the id that its caller gave it",
        lambda service, app: events_of(service, app, [plain(1), plain(1)]),
        in_memory=["turn-1"],
        here=["turn-1", "turn-1"],
    ),
    Difference(
        "partial events",
        "the published client sends them, and the service keeps what it is sent",
        lambda service, app: events_of(service, app, [plain(1).model_copy(update={"partial": True})]),
        in_memory=[],
        here=["turn-1"],
    ),
    Difference(
        "whole floats",
        "state is a protobuf Struct, whose numbers are all doubles; whole ones are printed as integers",
        lambda service, app: state_after(service, app, plain(1, state_delta={"n": 2.0})),
        in_memory={"n": "2.0"},
        here={"n": "2"},
    ),
    Difference(
        "large integers",
        "a double has 53 bits for them",
        lambda service, app: state_after(service, app, plain(1, state_delta={"n": 2**53 + 1})),
        in_memory={"n": "9007199254740993"},
        here={"n": "9007199254740992"},
    ),
    Difference(
        "ids made by the service",
        "the live service makes decimal ids, ADK in memory makes UUIDs",
        made_id_is_number,
        in_memory=False,
        here=True,
    ),
    Difference(
        "ids chosen by callers",
        "the published rule is lower-case letters, digits and hyphens (the server can be set to take ADK's)",
        chosen_id,
        in_memory="no error",
        here="ClientError",
    ),
    Difference(
        "one id for two users",
        "the user is no part of a session's resource name",
        one_id_for_two_users,
        in_memory="no error",
        here="ClientError",
    ),
    Difference(
        "reading another user's session",
        "the published client finds it, and refuses to hand it out",
        reads_anothers,
        in_memory="no error",
        here="ValueError",
    ),
    Difference(
        "deleting another user's session",
        "the published client finds it, and refuses to delete it",
        deletes_anothers,
        in_memory="no error",
        here="ValueError",
    ),
    Difference(
        "update time",
        "the live service keeps its own clock, and lists are in the order of it",
        updated_when_the_event_happened,
        in_memory=True,
        here=False,
    ),
    Difference(
        "temporary keys of a refused append",
        "the published client puts them into its caller's copy before it asks the service",
        refused_appends_leave_no_trace,
        in_memory=True,
        here=False,
    ),
    Difference(
        "state of a user without a session",
        "the API has no method for it, and the published client says so",
        lambda service, app: outcome(service.get_user_state(app_name=app, user_id="ann")),
        in_memory="no error",
        here="NotImplementedError",
    ),
]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_the_named_differences_are_real(server: Server, engine: str, difference: Difference) -> None:
    """What random work leaves out differs just as the table says, and for no other reason than the one given."""
    report("google-adk")

    async def show(service: BaseSessionService) -> Any:
        return await difference.scenario(service, engine)

    assert asyncio.run(show(InMemorySessionService())) == difference.in_memory
    assert asyncio.run(show(SelfHosted(server.url))) == difference.here, difference.reason
