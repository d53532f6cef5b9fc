"""ADK's own session services, in this process and through their own API, driven line by line by `cargo xtask bench`.

Reads one JSON object a line and answers each with one. A client is a task that appends to sessions of its own, each
append sent when the last is done, as an agent does.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import itertools
import json
import platform
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.database_session_service import DatabaseSessionService
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.sessions.session import Session
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types

APP = "bench"
WARM_UP_SECONDS = 0.3
PACKAGES = ["google-adk", "SQLAlchemy", "aiosqlite", "asyncpg"]


def service_named(name: str, place: str) -> BaseSessionService:
    match name:
        case "memory":
            return InMemorySessionService()
        case "sqlite":
            return SqliteSessionService(place)
        case "database":
            return DatabaseSessionService(place)
    raise ValueError(f"there is no service {name!r}")


class Bench:
    """A service, and the sessions that are appended to."""

    def __init__(self, service: BaseSessionService, text: str) -> None:
        self.service = service
        self.text = text
        self.numbers = itertools.count(1_000_000_000)
        self.sessions: list[Session] = []

    def event(self) -> Event:
        number = next(self.numbers)
        name = f"e-{number}"
        return Event(
            author="assistant",
            invocation_id=name,
            turn_complete=True,
            branch="root.assistant",
            content=types.Content(role="model", parts=[types.Part(text=self.text)]),
            actions=EventActions(state_delta={"turns": number, "user:last_turn": name}),
        )

    async def make_sessions(self, count: int) -> None:
        for number in range(count):
            session = await self.service.create_session(app_name=APP, user_id=f"user-{number % 16}")
            self.sessions.append(session)

    async def append(self, clients: int, seconds: float) -> list[float]:
        """The count of all appends, and how many seconds each took that began after the warm-up."""
        began = time.perf_counter()
        warm, end = began + WARM_UP_SECONDS, began + WARM_UP_SECONDS + seconds
        latencies: list[float] = []
        answers = 0

        async def client(mine: list[Session]) -> None:
            nonlocal answers
            for session in itertools.cycle(mine):
                event = self.event()
                sent = time.perf_counter()
                if sent >= end:
                    return
                await self.service.append_event(session, event)
                answers += 1
                if sent >= warm:
                    latencies.append(time.perf_counter() - sent)

        await asyncio.gather(*(client(self.sessions[first::clients]) for first in range(clients)))
        return [answers, *latencies]

    async def read(self, events: int, seconds: float) -> list[float]:
        """The count of reads of a session with so many events, and how many seconds each took."""
        session = await self.service.create_session(app_name=APP, user_id="reader")
        for _ in range(events):
            await self.service.append_event(session, self.event())
        end = time.perf_counter() + seconds
        latencies: list[float] = []
        while not latencies or time.perf_counter() < end:
            sent = time.perf_counter()
            found = await self.service.get_session(app_name=APP, user_id="reader", session_id=session.id)
            latencies.append(time.perf_counter() - sent)
            if found is None or len(found.events) != events:
                raise RuntimeError("not all events were read")
        return [len(latencies), *latencies]


@asynccontextmanager
async def opened(service: BaseSessionService) -> AsyncIterator[BaseSessionService]:
    try:
        yield service
    finally:
        if isinstance(service, DatabaseSessionService):
            await service.close()


async def serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    async with opened(service_named(arguments.service, arguments.place)) as service:
        bench = Bench(service, arguments.text)
        await bench.make_sessions(arguments.sessions)
        versions = {name: importlib.metadata.version(name) for name in PACKAGES}
        versions |= {"Python": platform.python_version(), "its SQLite": sqlite3.sqlite_version}
        answer(versions)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asked: dict[str, Any] = json.loads(line)
            match asked.pop("do"):
                case "append":
                    answer(await bench.append(**asked))
                case "read":
                    answer(await bench.read(**asked))
                case other:
                    raise ValueError(f"cannot {other!r}")


def answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", required=True, choices=["memory", "sqlite", "database"])
    parser.add_argument("--place", default="", help="a file, or the URL of a database")
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--text", required=True, help="what an event says")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
