"""ADK's developer servers with our address in `--session_service_uri`, driven over their own HTTP API."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import httpx
import pytest

from adk import SelfHosted
from server import Server, make_engine, report

HERE = Path(__file__).parent
LISTENING = re.compile(r"Uvicorn running on (http://\S+)")
SECONDS_TO_START = 120
SECONDS_TO_STOP = 30
TURNS = 3


def agents_folder(folder: Path) -> Path:
    """A folder of agents as a user has it: one agent, and our registration beside it."""
    agent = folder / "travel"
    agent.mkdir(parents=True)
    (agent / "__init__.py").touch()
    (agent / "agent.py").write_text("from adk import travel_agent\n\nroot_agent = travel_agent()\n")
    shutil.copy(HERE / "snippets" / "adk_services" / "services.py", folder)
    return folder


def read_to_end(output: TextIO, lines: list[str], addresses: queue.Queue[str]) -> None:
    """Reads all that a process writes, so that a full pipe never stops it, and notes where it listens."""
    for line in output:
        lines.append(line)
        if found := LISTENING.search(line):
            addresses.put(found.group(1))
    addresses.put("")


@pytest.fixture(scope="module", params=["api_server", "web"])
def command(request: pytest.FixtureRequest) -> str:
    """Which of ADK's servers."""
    return request.param


@pytest.fixture(scope="module")
def engine(rest: httpx.Client, command: str) -> str:
    """The engine that holds the sessions of one of them."""
    return make_engine(rest)


@pytest.fixture(scope="module")
def developer_server(
    server: Server, command: str, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of that server, which listens on a port of its own choice."""
    report("google-adk")
    home = tmp_path_factory.mktemp(command)
    uri = f"colloquy://{server.address}/{engine}"
    options = ["--host", "127.0.0.1", "--port", "0", "--session_service_uri", uri]
    process = subprocess.Popen(
        [sys.executable, "-m", "google.adk.cli", command, *options, str(agents_folder(home / "agents"))],
        # The agent is made of this folder's parts; an empty home has no settings that could matter.
        env=os.environ | {"PYTHONPATH": str(HERE), "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    addresses: queue.Queue[str] = queue.Queue()
    threading.Thread(target=read_to_end, args=(process.stdout, lines, addresses), daemon=True).start()
    try:
        address = addresses.get(timeout=SECONDS_TO_START)
        assert address, f"it ended before it listened:\n{''.join(lines)}"
        with httpx.Client(base_url=address, timeout=60) as client:
            yield client
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def get(client: httpx.Client, path: str) -> object:
    """The JSON at a path."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def session_state(server: Server, engine: str, session: str) -> dict[str, object] | None:
    """What the server itself says of a session of ann's, asked without the developer server in between."""

    async def ask() -> dict[str, object] | None:
        found = await SelfHosted(server.url).get_session(app_name=engine, user_id="ann", session_id=session)
        return found.state if found else None

    return asyncio.run(ask())


def test_an_agents_developer_server_keeps_its_sessions_here(
    developer_server: httpx.Client, server: Server, engine: str
) -> None:
    """Sessions made, used, listed, read and deleted in ADK's own interface are sessions of this server."""
    assert "travel" in get(developer_server, "/list-apps")
    sessions = "/apps/travel/users/ann/sessions"
    made = developer_server.post(
        sessions, json={"sessionId": "trip-1", "state": {"bookings": 0, "app:total": 0, "user:tier": "gold"}}
    )
    assert made.status_code == 200, made.text
    assert made.json()["id"] == "trip-1"
    assert made.json()["state"] == {"bookings": 0, "app:total": 0, "user:tier": "gold"}
    other = developer_server.post(sessions).json()["id"]
    assert other.isdigit()

    for turn in range(TURNS):
        body = {
            "appName": "travel",
            "userId": "ann",
            "sessionId": "trip-1",
            "newMessage": {"role": "user", "parts": [{"text": f"Please book city-{turn}"}]},
        }
        answer = developer_server.post("/run", json=body)
        assert answer.status_code == 200, answer.text
        texts = [part.get("text") for event in answer.json() for part in event["content"]["parts"]]
        # The model counts what it is shown: everything so far has been read back.
        assert texts[-1] == f"Trip {turn + 1} is booked; messages so far: {turn + 1}."

    assert {session["id"] for session in get(developer_server, sessions)} == {"trip-1", other}
    kept = get(developer_server, f"{sessions}/trip-1")
    assert kept["state"] == {
        "bookings": TURNS,
        "app:total": TURNS,
        "user:tier": "gold",
        "user:last_city": f"city-{TURNS - 1}",
    }
    assert [event["author"] for event in kept["events"]] == (["user"] + ["travel_agent"] * 3) * TURNS
    assert kept["events"][2]["content"]["parts"][0]["functionResponse"]["response"]["number"] == 1

    patched = developer_server.patch(f"{sessions}/trip-1", json={"stateDelta": {"seat": "12A"}})
    assert patched.status_code == 200, patched.text
    assert get(developer_server, f"{sessions}/trip-1")["state"]["seat"] == "12A"

    assert session_state(server, engine, "trip-1")["seat"] == "12A"
    assert developer_server.delete(f"{sessions}/trip-1").status_code == 200
    assert developer_server.get(f"{sessions}/trip-1").status_code == 404
    assert session_state(server, engine, "trip-1") is None
    assert [session["id"] for session in get(developer_server, sessions)] == [other]


def test_an_agent_answers_in_a_stream(developer_server: httpx.Client) -> None:
    """The page of `adk web` runs an agent this way: each event is sent as it comes, and kept."""
    sessions = "/apps/travel/users/bob/sessions"
    made = developer_server.post(sessions).json()["id"]
    body = {
        "appName": "travel",
        "userId": "bob",
        "sessionId": made,
        "newMessage": {"role": "user", "parts": [{"text": "Please book Rome"}]},
        "streaming": True,
    }
    answer = developer_server.post("/run_sse", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.text.count("data: ") == 3
    assert "Trip 1 is booked" in answer.text
    assert len(get(developer_server, f"{sessions}/{made}")["events"]) == 4
