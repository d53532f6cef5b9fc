"""ADK's own `VertexAiSessionService`, with the method overridden that its documentation names for this."""

import asyncio
import os

import agentplatform
from google.adk.events import Event
from google.adk.sessions import VertexAiSessionService
from google.genai import types
from google.oauth2.credentials import Credentials

URL = os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")
PLACE = {"project": "my-project", "location": "us-central1"}
CLIENT = agentplatform.Client(**PLACE, http_options={"base_url": URL}, credentials=Credentials(token="local"))


class SelfHosted(VertexAiSessionService):
    def _build_api_client(self):
        return CLIENT.aio


async def main():
    engine = CLIENT.runtimes.create(config={"display_name": "assistant"}).api_resource
    service = SelfHosted(**PLACE)  # Goes into `Runner(session_service=service, app_name=engine.name, ...)`.
    session = await service.create_session(app_name=engine.name, user_id="alice")
    event = Event(author="user", invocation_id="turn-1", content=types.UserContent("hello"))
    event.actions.state_delta = {"turns": 1}
    await service.append_event(session, event)
    kept = await service.get_session(app_name=engine.name, user_id="alice", session_id=session.id)
    print(kept.events[0].author, kept.events[0].content.parts[0].text)
    print(kept.state)
    CLIENT.runtimes.delete(name=engine.name, force=True)


asyncio.run(main())
