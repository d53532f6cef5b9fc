"""Google's generated clients over gRPC: the transport is given a plain-text channel."""

import os
from datetime import datetime, timezone

import grpc
from google.cloud import aiplatform_v1 as aiplatform

url = os.environ.get("COLLOQUY_URL", "http://127.0.0.1:8080")
# Without the option, pages of more than 4 MiB are refused on arrival.
channel = grpc.insecure_channel(url.split("://")[1], options=[("grpc.max_receive_message_length", -1)])


def connect(client):
    transport = client.get_transport_class("grpc")
    return client(transport=transport(channel=channel))


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
