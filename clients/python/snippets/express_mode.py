"""Express mode: an API key in place of a project, a location and credentials."""

import asyncio
import os
from datetime import datetime, timezone

import agentplatform

client = agentplatform.Client(
    api_key="local",  # Any key will do.
    http_options={"base_url": os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")},
)


async def main():
    engine = client.runtimes.create(config={"display_name": "assistant"}).api_resource
    sessions = client.aio.sessions
    session = (await sessions.create(name=engine.name, user_id="alice")).response
    await sessions.events.append(
        name=session.name,
        author="user",
        invocation_id="turn-1",
        timestamp=datetime.now(timezone.utc),
        config={"content": {"parts": [{"text": "hello"}]}, "actions": {"state_delta": {"turns": 1}}},
    )
    async for event in await sessions.events.list(name=session.name):
        print(event.author, event.content.parts[0].text)
    print((await sessions.get(name=session.name)).session_state)
    await client.aio.runtimes.delete(name=engine.name, force=True)
    await client.aio.aclose()


asyncio.run(main())
