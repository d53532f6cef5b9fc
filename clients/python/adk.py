"""ADK's own session service pointed at the server, and an agent whose model is a script."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import agentplatform
from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.sessions import VertexAiSessionService
from google.adk.tools import ToolContext
from google.genai import types
from google.oauth2.credentials import Credentials
from typing_extensions import override

from server import LOCATION, PROJECT


class SelfHosted(VertexAiSessionService):
    """The published service; only where it calls, and as whom, is overridden (both are documented hooks)."""

    def __init__(self, url: str) -> None:
        super().__init__(project=PROJECT, location=LOCATION)
        self.url = url

    @override
    def _api_client_http_options_override(self) -> types.HttpOptions:
        return types.HttpOptions(base_url=self.url)

    @override
    def _build_api_client(self) -> agentplatform.AsyncClient:
        # A fixed token in place of the machine's own Google credentials, which a test machine lacks.
        return agentplatform.Client(
            project=PROJECT,
            location=LOCATION,
            http_options=self._api_client_http_options_override(),
            credentials=Credentials(token="local"),
        ).aio


def book(city: str, tool_context: ToolContext) -> dict[str, object]:
    """Books a trip to a city.

    Args:
      city: Where to.
    """
    bookings = int(tool_context.state.get("bookings", 0)) + 1
    tool_context.state["bookings"] = bookings
    tool_context.state["user:last_city"] = city
    tool_context.state["app:total"] = int(tool_context.state.get("app:total", 0)) + 1
    tool_context.state["temp:draft"] = f"draft {bookings}"
    return {"booked": city, "number": bookings}


class ScriptedModel(BaseLlm):
    """Asks for `book` after each message of the user, and reports after each answer of the tool."""

    model: str = "scripted"

    @override
    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        part = llm_request.contents[-1].parts[-1]
        # How much of the conversation reaches the model: all of it must have been read back.
        seen = sum(1 for content in llm_request.contents if content.role == "user" and content.parts[0].text)
        if part.function_response is not None:
            number = int(part.function_response.response["number"])
            answer = types.Part.from_text(text=f"Trip {number} is booked; messages so far: {seen}.")
        else:
            answer = types.Part.from_function_call(name="book", args={"city": part.text.split()[-1]})
        yield LlmResponse(
            content=types.Content(role="model", parts=[answer]),
            usage_metadata=types.GenerateContentResponseUsageMetadata(
                prompt_token_count=10 * seen, candidates_token_count=7, total_token_count=10 * seen + 7
            ),
        )


def travel_agent() -> LlmAgent:
    """An agent with one tool and the scripted model."""
    return LlmAgent(name="travel_agent", model=ScriptedModel(), instruction="Book trips.", tools=[book])
