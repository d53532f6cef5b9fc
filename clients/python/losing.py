"""A server that loses answers: what it forwards is carried out, and the caller is told to try again."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from server import Server


@contextmanager
def losing(server: Server, verb: str) -> Iterator[tuple[str, list[int]]]:
    """The address of a way to the server that loses every other answer to `POST ...:verb`, and what such calls
    were really answered with."""
    answered: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection(server.address)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
            connection.close()
            if self.path.split("?")[0].endswith(f":{verb}"):
                answered.append(status)
                if len(answered) % 2 == 1:
                    status, content = 429, b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Lost."}}'
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = forward

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}", answered
    finally:
        proxy.shutdown()
        proxy.server_close()
