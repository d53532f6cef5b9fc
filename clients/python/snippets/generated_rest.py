"""Google's generated clients over REST: the transport is told the address, and to speak plain HTTP."""

import os
from datetime import datetime, timezone

from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1 as aiplatform

url = os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")
scheme, address = url.split("://")
options = {"host": address, "url_scheme": scheme, "credentials": AnonymousCredentials()}


def connect(client):
    transport = client.get_transport_class("rest")
    return client(transport=transport(**options))


engines = connect(aiplatform.ReasoningEngineServiceClient)
sessions = connect(aiplatform.SessionServiceClient)
parent = "projects/my-project/locations/us-central1"
wanted = {"display_name": "assistant"}
engine = engines.create_reasoning_engine(parent=parent, reasoning_engine=wanted).result()
session = sessions.create_session(parent=engine.name, session={"user_id": "alice"}).result()
event = {"author": "user", "invocation_id": "turn-1", "timestamp": datetime.now(timezone.utc)}
event |= {"content": {"parts": [{"text": "hello"}]}, "actions": {"state_delta": {"turns": 1}}}
sessions.append_event(name=session.name, event=event)
for event in sessions.list_events(parent=session.name):
    print(event.author, event.content.parts[0].text)
print(dict(sessions.get_session(name=session.name).session_state))
engines.delete_reasoning_engine(request={"name": engine.name, "force": True}).result()
