"""Put this file into the folder of your agents; then `adk web` and `adk api_server` accept

--session_service_uri=colloquy://127.0.0.1:8080/projects/PROJECT/locations/LOCATION/reasoningEngines/ENGINE
"""

from urllib.parse import urlsplit

import agentplatform
from google.adk.cli.service_registry import get_service_registry
from google.adk.sessions import VertexAiSessionService
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials


class ColloquySessionService(VertexAiSessionService):
    def __init__(self, uri: str, **_):
        address = urlsplit(uri)
        _, project, _, location, _, engine = address.path.strip("/").split("/")
        super().__init__(project, location, engine)
        self._base_url = f"http://{address.netloc}"

    def _build_api_client(self):
        return agentplatform.Client(
            project=self._project,
            location=self._location,
            http_options=HttpOptions(base_url=self._base_url),
            credentials=Credentials(token="local"),
        ).aio


get_service_registry().register_session_service("colloquy", ColloquySessionService)
