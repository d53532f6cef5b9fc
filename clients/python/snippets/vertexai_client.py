"""Google's `vertexai.Client`, pointed at Colloquy."""

import os
from datetime import datetime, timezone

import vertexai
from google.oauth2.credentials import Credentials

client = vertexai.Client(
    # The address counts only together with a project and a location.
    http_options={"base_url": os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")},
    project="my-project",
    location="us-central1",
    # Any token will do; with none, the client looks for Google's credentials.
    credentials=Credentials(token="local"),
)

engine = client.agent_engines.create(config={"display_name": "assistant"}).api_resource
sessions = client.agent_engines.sessions
session = sessions.create(name=engine.name, user_id="alice").response
sessions.events.append(
    name=session.name,
    author="user",
    invocation_id="turn-1",
    timestamp=datetime.now(timezone.utc),
    config={"content": {"parts": [{"text": "hello"}]}, "actions": {"state_delta": {"turns": 1}}},
)
for event in sessions.events.list(name=session.name):
    print(event.author, event.content.parts[0].text)
print(sessions.get(name=session.name).session_state)
client.agent_engines.delete(name=engine.name, force=True)
