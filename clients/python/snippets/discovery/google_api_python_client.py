"""google-api-python-client, pointed at Colloquy: it makes its client from the server's own description."""

import os
from datetime import datetime, timezone

from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

address = os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")
service = build(
    "aiplatform",
    "v1beta1",
    discoveryServiceUrl=address + "/$discovery/rest?version={apiVersion}",
    # Any credentials will do; with none, the client looks for Google's.
    credentials=AnonymousCredentials(),
)

engines = service.projects().locations().reasoningEngines()
location = "projects/my-project/locations/us-central1"
engine = engines.create(parent=location, body={"displayName": "assistant"}).execute()["response"]["name"]
sessions = engines.sessions()
session = sessions.create(parent=engine, body={"userId": "alice"}).execute()["response"]["name"]
event = {
    "author": "user",
    "invocationId": "turn-1",
    "timestamp": datetime.now(timezone.utc).isoformat(),
    "content": {"parts": [{"text": "hello"}]},
    "actions": {"stateDelta": {"turns": 1}},
}
sessions.appendEvent(name=session, body=event).execute()
for event in sessions.events().list(parent=session).execute()["sessionEvents"]:
    print(event["author"], event["content"]["parts"][0]["text"])
print(sessions.get(name=session).execute()["sessionState"])
engines.delete(name=engine, force=True).execute()
