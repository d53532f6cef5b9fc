"""Google's generated clients for one version of the API, over each of their transports."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import grpc
from google.auth.aio import credentials as aio_credentials
from google.auth.credentials import AnonymousCredentials

from server import Server
from settled import settled

# A page of events can be larger than what gRPC takes by default; the clients' own channels have no limit either.
UNLIMITED = [("grpc.max_receive_message_length", -1)]
VERSIONS = ("v1", "v1beta1")
TRANSPORTS = ("rest", "rest_asyncio", "grpc", "grpc_asyncio")


class Generated:
    """The clients of both services; over gRPC they share a channel."""

    def __init__(self, server: Server, version: str, transport: str) -> None:
        self.transport = transport
        self.is_rest = transport.startswith("rest")
        self.types: ModuleType = importlib.import_module(f"google.cloud.aiplatform_{version}")
        self.package = f"google.cloud.aiplatform.{version}"
        self._channel: Any = None
        if transport == "grpc":
            self._channel = grpc.insecure_channel(server.address, options=UNLIMITED)
        elif transport == "grpc_asyncio":
            self._channel = grpc.aio.insecure_channel(server.address, options=UNLIMITED)
        self.sessions = self._client(server, "SessionService")
        self.engines = self._client(server, "ReasoningEngineService")

    def _client(self, server: Server, service: str) -> Any:
        """A client on a transport that is told where to go and to speak plain text."""
        is_async = self.transport.endswith("asyncio")
        client = getattr(self.types, f"{service}AsyncClient" if is_async else f"{service}Client")
        transport = client.get_transport_class(self.transport)
        if not self.is_rest:
            return client(transport=transport(channel=self._channel))
        anonymous = aio_credentials.AnonymousCredentials() if is_async else AnonymousCredentials()
        return client(transport=transport(host=server.address, url_scheme="http", credentials=anonymous))

    async def __aenter__(self) -> Generated:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (self.sessions, self.engines):
            if self.transport == "rest_asyncio":
                # The client for operations has connections of its own, and the library no way to close them.
                await client.transport.operations_client.transport._session.close()
            await settled(client.transport.close())
