"""The programs that the documentation shows, run as a user would run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from server import Server, report

SNIPPETS = Path(__file__).parent / "snippets"
SECONDS_TO_RUN = 120
MOST_LINES = 35
# What is under test in each.
PACKAGES = {
    "adk_service.py": "google-adk",
    "agentplatform_client.py": "google-cloud-aiplatform",
    "express_mode.py": "google-cloud-aiplatform",
    "generated_grpc.py": "google-cloud-aiplatform",
    "generated_rest.py": "google-cloud-aiplatform",
    "service_account_style.py": "google-cloud-aiplatform",
    "vertexai_client.py": "google-cloud-aiplatform",
}


def key_file(folder: Path) -> Path:
    """A service account's key; where it would ask for tokens, nobody listens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "1",
        "private_key": text.decode(),
        "client_email": "agent@my-project.iam.gserviceaccount.com",
        "token_uri": "http://127.0.0.1:9/token",
    }
    path = folder / "key.json"
    path.write_text(json.dumps(account))
    return path


def test_every_snippet_is_run_and_short() -> None:
    """No snippet is left out, and each is a page or less; the one for ADK's servers has a test of its own."""
    assert sorted(path.name for path in SNIPPETS.glob("*.py")) == sorted(PACKAGES)
    for path in SNIPPETS.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= MOST_LINES, path


@pytest.mark.parametrize("snippet", PACKAGES)
def test_snippets_do_what_they_show(server: Server, tmp_path: Path, snippet: str) -> None:
    """Each makes an engine and a session, appends an event, and prints what it reads back: event and state."""
    report(PACKAGES[snippet])
    environment = os.environ | {
        "COLLOQUY_URL": server.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_file(tmp_path)),
    }
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", str(SNIPPETS / snippet)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_RUN,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    printed, state = ended.stdout.splitlines()
    assert printed == "user hello"
    # Numbers of a state are doubles; only JSON tells whole ones apart.
    assert state in ("{'turns': 1}", "{'turns': 1.0}")
