"""What all tests share: an environment without surprises, the server under test, and a fresh engine."""

import os

# Nothing of the machine's own cloud set-up may decide what these tests do.
for name in [name for name in os.environ if name.startswith(("GOOGLE_", "GCLOUD_", "CLOUDSDK_"))]:
    del os.environ[name]
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)

from collections.abc import Iterator

import httpx
import pytest

from server import Server, make_engine


@pytest.fixture(scope="session")
def server() -> Server:
    """One server for the whole run; tests keep apart by making their own engines."""
    return Server.from_environment()


@pytest.fixture(scope="session")
def rest(server: Server) -> Iterator[httpx.Client]:
    """Plain HTTP to the server's v1beta1 paths, with no client library in between."""
    with httpx.Client(base_url=f"{server.url}/v1beta1/", timeout=30) as client:
        yield client


@pytest.fixture
def engine(rest: httpx.Client) -> str:
    """The full name of a fresh engine."""
    return make_engine(rest)
