"""Real ADK events of every kind, and the JSON in which Google's clients send them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import agentplatform
import httpx
from fastapi.openapi.models import APIKey, APIKeyIn
from google.adk.auth import AuthConfig, AuthCredential, AuthCredentialTypes
from google.adk.events import Event, EventActions
from google.adk.events.event_actions import EventCompaction
from google.adk.sessions import Session, VertexAiSessionService
from google.adk.tools.tool_confirmation import ToolConfirmation
from google.genai import types
from google.oauth2.credentials import Credentials

from server import LOCATION, PROJECT

ALL_BYTES = bytes(range(256))


def _event(*parts: types.Part, role: str = "model", **fields: Any) -> Event:
    content = types.Content(role=role, parts=list(parts)) if parts else None
    defaults = {"author": "agent", "invocation_id": "turn-1", "timestamp": 1_772_366_400.123456}
    return Event(**(defaults | {"content": content} | fields))


def _text(text: str) -> types.Part:
    return types.Part.from_text(text=text)


def _grounding() -> types.GroundingMetadata:
    return types.GroundingMetadata(
        web_search_queries=["weather berlin", "wetter «berlin»"],
        search_entry_point=types.SearchEntryPoint(rendered_content="<b>x</b>", sdk_blob=ALL_BYTES),
        retrieval_queries=["internal"],
        grounding_chunks=[
            types.GroundingChunk(web=types.GroundingChunkWeb(title="A", uri="https://a.example/?q=1&r=2")),
            types.GroundingChunk(
                retrieved_context=types.GroundingChunkRetrievedContext(
                    title="B", uri="gs://b/c", text="passage"
                )
            ),
        ],
        grounding_supports=[
            types.GroundingSupport(
                confidence_scores=[0.1, 0.25, 1.0, 1e-7],
                grounding_chunk_indices=[0, 1],
                segment=types.Segment(start_index=3, end_index=17, part_index=0, text="passage"),
            )
        ],
        retrieval_metadata=types.RetrievalMetadata(google_search_dynamic_retrieval_score=0.7),
    )


def _state() -> dict[str, Any]:
    return {
        "int": 7,
        "negative": -1,
        "zero": 0,
        "float": 0.1,
        "tiny": 5e-324,
        "huge": 1.7976931348623157e308,
        "2^53": 2**53,
        "true": True,
        "null": None,
        "empty": "",
        "list": [1, "two", None, [], {}, [[3.5]]],
        "nested": {"a": {"b": {"c": {}}}},
        "app:x": 1,
        "user:y": "z",
        "temp:t": [0],
        "with.dots and spaces": 1,
        "ключ🙂": "значение",
        "": "the empty key",
    }


def _auth() -> AuthConfig:
    scheme = APIKey(**{"in": APIKeyIn.header, "name": "x-api-key"})
    return AuthConfig(
        auth_scheme=scheme,
        raw_auth_credential=AuthCredential(auth_type=AuthCredentialTypes.API_KEY, api_key="k"),
    )


def events() -> dict[str, Event]:
    """The corpus: a name for what each event is about, and the event."""
    call = types.FunctionCall(
        id="call-1", name="search", args={"q": "ünï", "n": 3, "deep": {"l": [1, None, 2.5]}}
    )
    answer = types.FunctionResponse(
        id="call-1", name="search", response={"hits": [{"id": 1}, {"id": 2}], "ok": True}
    )
    usage = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=12, candidates_token_count=34, total_token_count=46, thoughts_token_count=5
    )
    return {
        "user text": _event(_text("Hello"), role="user", author="user"),
        "several texts": _event(_text("one"), _text(""), _text("three")),
        "unicode": _event(
            _text('é e\u0301 🙂👨‍👩‍👧 \u202eabc\u202c \u0000 \u001f \u007f \u2028 \ufeff "\\/ <&>')
        ),
        "long text": _event(_text("lorem ipsum " * 4_000)),
        "thought": _event(types.Part(text="hm", thought=True, thought_signature=ALL_BYTES)),
        "function call": _event(types.Part(function_call=call)),
        "function response": _event(types.Part(function_response=answer), role="user"),
        "parallel calls": _event(
            *(types.Part(function_call=call.model_copy(update={"id": f"c{n}"})) for n in range(5))
        ),
        "call without arguments": _event(types.Part(function_call=types.FunctionCall(name="now", args={}))),
        "inline bytes": _event(types.Part.from_bytes(data=ALL_BYTES, mime_type="application/octet-stream")),
        "inline bytes of other lengths": _event(
            *(
                types.Part.from_bytes(data=ALL_BYTES[:length], mime_type="image/png")
                for length in (1, 2, 3, 4)
            )
        ),
        "file": _event(types.Part.from_uri(file_uri="gs://bucket/a b.pdf", mime_type="application/pdf")),
        "video": _event(
            types.Part(
                file_data=types.FileData(file_uri="gs://bucket/v.mp4", mime_type="video/mp4"),
                video_metadata=types.VideoMetadata(start_offset="1.5s", end_offset="75s"),
            )
        ),
        "code": _event(
            types.Part.from_executable_code(code="print(1)\n", language=types.Language.PYTHON),
            types.Part.from_code_execution_result(outcome=types.Outcome.OUTCOME_OK, output="1\n"),
        ),
        "grounding": _event(_text("grounded"), grounding_metadata=_grounding()),
        "long running tools": _event(types.Part(function_call=call), long_running_tool_ids={"call-1"}),
        "error": _event(error_code="SAFETY", error_message='blocked: "unsafe"\n'),
        "interrupted": _event(_text("I was go"), interrupted=True, turn_complete=False, partial=False),
        "branch": _event(_text("x"), branch="root.child_1.child_2", turn_complete=True),
        "usage": _event(_text("x"), usage_metadata=usage),
        "custom metadata": _event(
            _text("x"), custom_metadata={"trace": "abc", "n": 1, "deep": {"l": [1, None]}}
        ),
        "state delta": _event(actions=EventActions(state_delta=_state())),
        "artifact delta": _event(actions=EventActions(artifact_delta={"a.png": 0, "ü.txt": 2147483647})),
        "transfer": _event(_text("x"), actions=EventActions(transfer_to_agent="billing", escalate=True)),
        "skipped summary": _event(_text("x"), actions=EventActions(skip_summarization=True)),
        "requested credentials": _event(actions=EventActions(requested_auth_configs={"call-1": _auth()})),
        "requested confirmation": _event(
            actions=EventActions(
                requested_tool_confirmations={"call-1": ToolConfirmation(hint="sure?", payload={"n": 1})}
            )
        ),
        "end of agent": _event(actions=EventActions(end_of_agent=True, agent_state={"step": 3})),
        "compaction": _event(
            actions=EventActions(
                compaction=EventCompaction(
                    start_timestamp=1_772_366_400.5,
                    end_timestamp=1_772_366_460.25,
                    compacted_content=types.Content(role="model", parts=[_text("so far")]),
                )
            )
        ),
        "whole seconds": _event(_text("x"), timestamp=1_772_366_400.0),
        "before 1970": _event(_text("x"), timestamp=-86_399.5),
        "nothing but the required": _event(),
    }


class _Recorder(VertexAiSessionService):
    """The published service, its requests kept instead of sent."""

    def __init__(self) -> None:
        super().__init__(project=PROJECT, location=LOCATION)
        self.bodies: list[dict[str, Any]] = []

    def _api_client_http_options_override(self) -> types.HttpOptions:
        def keep(request: httpx.Request) -> httpx.Response:
            self.bodies.append(json.loads(request.content))
            return httpx.Response(200, json={})

        return types.HttpOptions(
            base_url="http://127.0.0.1:9",
            httpx_async_client=httpx.AsyncClient(transport=httpx.MockTransport(keep)),
        )

    def _build_api_client(self) -> agentplatform.AsyncClient:
        return agentplatform.Client(
            project=PROJECT,
            location=LOCATION,
            http_options=self._api_client_http_options_override(),
            credentials=Credentials(token="local"),
        ).aio


def bodies() -> dict[str, dict[str, Any]]:
    """The corpus as ADK's session service sends it to `:appendEvent`, by name."""
    corpus = events()

    async def record() -> list[dict[str, Any]]:
        service = _Recorder()
        session = Session(id="s", app_name="1", user_id="u")
        for event in corpus.values():
            await service.append_event(session, event)
        return service.bodies

    return dict(zip(corpus, asyncio.run(record()), strict=True))


def hand_made() -> dict[str, dict[str, Any]]:
    """Shapes that other Google clients send and ADK for Python does not; times as the type's own text."""
    required = {"author": "agent", "invocationId": "turn-1", "timestamp": "2026-03-01T12:00:00.123456789Z"}
    return {
        "offset of the time": required | {"timestamp": "2026-03-01T17:30:00.5+05:30"},
        "camel case": required
        | {
            "content": {
                "role": "model",
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "+/+/"}}],
            },
            "actions": {"stateDelta": {"a": 1}, "artifactDelta": {"f": 3}, "transferAgent": "other"},
            "eventMetadata": {"longRunningToolIds": [], "turnComplete": True, "interrupted": False},
            "errorCode": "E",
        },
        "snake case": required
        | {
            "content": {
                "role": "model",
                "parts": [{"inline_data": {"mime_type": "image/png", "data": "-_-_"}}],
            },
            "actions": {"state_delta": {"a": 1}, "artifact_delta": {"f": 3}, "transfer_agent": "other"},
            "event_metadata": {"long_running_tool_ids": ["x"], "turn_complete": True},
            "error_code": "E",
        },
        "base64 without padding": required
        | {"content": {"parts": [{"thoughtSignature": "AQ"}, {"thoughtSignature": "AQI"}]}},
        "enums by number": required
        | {"content": {"parts": [{"executableCode": {"language": 1, "code": "1"}}]}},
        "nulls": required
        | {"content": None, "errorCode": None, "actions": {"stateDelta": None, "escalate": None}},
        "speech": required
        | {
            "eventMetadata": {
                "inputTranscription": {"text": "hi", "finished": True},
                "outputTranscription": {"text": "ho"},
            }
        },
        "raw event": required
        | {"rawEvent": {"id": "e-1", "timestamp": 1772366400.123, "nested": {"list": [1, None, {}]}}},
    }
