"""A service account's key: the client signs its tokens itself, and asks nobody for them."""

import os
from datetime import datetime, timezone

import agentplatform
from google.oauth2 import service_account

credentials = service_account.Credentials.from_service_account_file(
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"],
    scopes=["https://www.googleapis.com/auth/cloud-platform"],
    # Without this, the token comes from the address in the key file, which is Google's.
    always_use_jwt_access=True,
)
client = agentplatform.Client(
    http_options={"base_url": os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")},
    project="my-project",
    location="us-central1",
    credentials=credentials,
)

engine = client.runtimes.create(config={"display_name": "assistant"}).api_resource
session = client.sessions.create(name=engine.name, user_id="alice").response
client.sessions.events.append(
    name=session.name,
    author="user",
    invocation_id="turn-1",
    timestamp=datetime.now(timezone.utc),
    config={"content": {"parts": [{"text": "hello"}]}, "actions": {"state_delta": {"turns": 1}}},
)
for event in client.sessions.events.list(name=session.name):
    print(event.author, event.content.parts[0].text)
print(client.sessions.get(name=session.name).session_state)
client.runtimes.delete(name=engine.name, force=True)
