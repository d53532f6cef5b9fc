"""The server under test as a child process."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from pathlib import Path

import httpx

PROJECT = "my-project"
LOCATION = "us-central1"
READY = "listening on "
SECONDS_TO_START = 30
SECONDS_TO_STOP = 15


class Server:
    """A running `colloquy serve` on a free loopback port."""

    def __init__(self, process: subprocess.Popen[str], url: str, log: Path) -> None:
        self._process = process
        self._log = log
        self.url = url

    @classmethod
    def start(cls, folder: Path) -> Server:
        """Starts the binary that COLLOQUY_BIN names, and waits for the line that says where it listens."""
        binary = os.environ.get("COLLOQUY_BIN")
        if not binary:
            raise RuntimeError("set COLLOQUY_BIN to the server binary, or run `cargo xtask clients`")
        log = folder / "server.log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(folder / "data")],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        urls: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(process, urls), daemon=True).start()
        try:
            url = urls.get(timeout=SECONDS_TO_START)
        except queue.Empty:
            url = ""
        if not url:
            process.kill()
            raise RuntimeError(f"{binary} did not say where it listens; its log:\n{log.read_text()}")
        return cls(process, url, log)

    def stop(self) -> None:
        """Asks the server to drain and end, and insists that it does so cleanly."""
        self._process.terminate()
        try:
            code = self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise RuntimeError(f"the server did not end within {SECONDS_TO_STOP} s of SIGTERM") from None
        if code != 0:
            raise RuntimeError(f"the server ended with {code} on SIGTERM; its log:\n{self._log.read_text()}")


def _read(process: subprocess.Popen[str], urls: queue.Queue[str]) -> None:
    """Reads the server's output to its end, so that a full pipe can never stop it."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(READY):
            urls.put(line[len(READY) :].strip())
    urls.put("")


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
