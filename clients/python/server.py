"""The server under test, which whoever runs these tests has started, and what tests make in it."""

from __future__ import annotations

import functools
import importlib.metadata
import os
from dataclasses import dataclass

import httpx

PROJECT = "my-project"
LOCATION = "us-central1"


@dataclass(frozen=True)
class Server:
    """A running server: REST and gRPC are on one port."""

    url: str

    @classmethod
    def from_environment(cls) -> Server:
        """The server that COLLOQUY_URL names."""
        url = os.environ.get("COLLOQUY_URL")
        if not url:
            raise RuntimeError(
                "set COLLOQUY_URL to the address of a running server, such as http://127.0.0.1:8080,"
                " or run `cargo xtask clients`"
            )
        return cls(url)

    @property
    def address(self) -> str:
        """Host and port, as gRPC channels want it."""
        return self.url.split("://", 1)[1]


@functools.cache
def report(package: str) -> None:
    """Notes the version of a client library under test, once, in the file that COLLOQUY_REPORT names."""
    path = os.environ.get("COLLOQUY_REPORT")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{package} {importlib.metadata.version(package)}\n")


def make_engine(rest: httpx.Client) -> str:
    """The full name of a fresh engine."""
    answer = rest.post(
        f"projects/{PROJECT}/locations/{LOCATION}/reasoningEngines", json={"displayName": "for a test"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["name"].split("/operations/")[0]


def make_session(rest: httpx.Client, engine: str) -> str:
    """The full name of a fresh session in an engine."""
    answer = rest.post(f"{engine}/sessions", json={"userId": "somebody"})
    assert answer.status_code == 200, answer.text
    return answer.json()["name"].split("/operations/")[0]
