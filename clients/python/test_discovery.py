"""The discovery document: it says what Google's says, and google-api-python-client lives by it."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import googleapiclient.discovery_cache
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import Resource, build
from googleapiclient.errors import HttpError

from server import LOCATION, PROJECT, Server, report

VERSIONS = ("v1", "v1beta1")
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
START = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
EVENTS = 120
SECONDS_TO_RUN = 120
# Google's own documents come with the client.
GOOGLES = Path(googleapiclient.discovery_cache.__file__).parent / "documents"

# Methods of Google's at resources that are served here, which run agents, ask models or manage access.
NOT_SERVED = {
    "projects.locations.reasoningEngines": {
        "asyncQuery",
        "cancelAsyncQuery",
        "executeCode",
        "getIamPolicy",
        "query",
        "setIamPolicy",
        "streamQuery",
        "testIamPermissions",
    },
    "projects.locations.reasoningEngines.sessions": {"compact"},
    "reasoningEngines": {"asyncQuery", "cancelAsyncQuery", "executeCode", "query", "streamQuery"},
}
# Served in both versions, of Google's in v1beta1 only: sessions without a location in their path.
ONLY_IN_BETA = ("reasoningEngines.sessions", "reasoningEngines.sessions.events")
# Fields that Google's clients send although no document shows them.
UNPUBLISHED = {
    "EventActions": {"endOfAgent", "requestedToolConfirmations"},
    "EventMetadata": {"usageMetadata"},
    "Part": {"partMetadata"},
}
# Google's v1 does not show these yet; one set of messages serves both versions.
FIELDS_ONLY_IN_BETA = {
    "Part": {"mediaProcessing"},
    "ReasoningEngine": {"revisionGarbageCollectionStrategy", "trafficConfig"},
    "ReasoningEngineContextSpecMemoryBankConfig": {"structuredMemoryConfigs"},
    "ReasoningEngineSpec": {"agentCard"},
    "ReasoningEngineSpecDeploymentSpec": {"agentServerMode"},
}
SCHEMAS_ONLY_IN_BETA = {
    "ReasoningEngineRevisionGarbageCollectionStrategy",
    "ReasoningEngineRevisionGarbageCollectionStrategyKeepNLatest",
    "ReasoningEngineTrafficConfig",
    "ReasoningEngineTrafficConfigTrafficSplitAlwaysLatest",
    "ReasoningEngineTrafficConfigTrafficSplitManual",
    "ReasoningEngineTrafficConfigTrafficSplitManualTarget",
    "StructuredMemoryConfig",
    "StructuredMemoryConfigSchemaConfig",
}
# What a method is, but for its description and the scopes of its token.
METHOD_MEMBERS = (
    "id",
    "httpMethod",
    "path",
    "flatPath",
    "parameterOrder",
    "parameters",
    "request",
    "response",
)
# What says nothing about the shape of a value. Whether a field is read-only is the server's own affair.
NO_SHAPE = ("description", "enumDescriptions", "enumDeprecated", "deprecated", "readOnly")


def document(server: Server, version: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/$discovery/rest", params={"version": version})
    assert answer.status_code == 200, answer.text
    return answer.json()


def googles(version: str) -> dict[str, Any]:
    return json.loads((GOOGLES / f"aiplatform.{version}.json").read_text())


def resources(of: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """The methods of every resource, by the resource's path."""
    if "methods" in of:
        yield ".".join(path), of["methods"]
    for name, nested in of.get("resources", {}).items():
        yield from resources(nested, (*path, name))


def shape(schema: Any) -> Any:
    """A schema without what says nothing about shape; properties may have any name."""
    if isinstance(schema, list):
        return [shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name not in NO_SHAPE}
    return {
        name: {key: shape(one) for key, one in value.items()} if name == "properties" else shape(value)
        for name, value in kept.items()
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_methods_are_googles(server: Server, version: str) -> None:
    """At every resource that is served, all of Google's methods are there or named above; none differs."""
    ours, theirs = dict(resources(document(server, version))), dict(resources(googles(version)))
    extra = set(ours) - set(theirs)
    if version == "v1":
        assert "reasoningEngines.sessions" not in theirs
        assert extra == set(ONLY_IN_BETA)
    else:
        assert not extra
    for resource in set(ours) - extra:
        not_served = NOT_SERVED.get(resource, set())
        assert set(theirs[resource]) - set(ours[resource]) == not_served, resource
        for name, method in ours[resource].items():
            for member in METHOD_MEMBERS:
                ours_has, theirs_has = method.get(member), theirs[resource][name].get(member)
                assert shape(ours_has) == shape(theirs_has), (resource, name, member)


def test_what_only_one_version_of_googles_has_is_the_same_in_both_of_ours(server: Server) -> None:
    """The express paths of sessions are in v1 what they are in v1beta1."""
    v1, beta = (dict(resources(document(server, version))) for version in VERSIONS)
    assert set(v1) == set(beta)
    for resource in ONLY_IN_BETA:
        as_v1 = json.dumps(beta[resource]).replace("v1beta1", "v1").replace("V1beta1", "V1")
        assert v1[resource] == json.loads(as_v1)


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas_are_googles(server: Server, version: str) -> None:
    """Every schema has the properties of Google's, each of the same type, and none but those named above."""
    ours, theirs = document(server, version)["schemas"], googles(version)["schemas"]
    prefix = f"GoogleCloudAiplatform{version.capitalize()}"
    extra = {name.removeprefix(prefix) for name in ours if name not in theirs}
    assert extra == (SCHEMAS_ONLY_IN_BETA if version == "v1" else set())
    assert len(ours) > 80
    for name in set(ours) & set(theirs):
        short = name.removeprefix(prefix)
        expected = set(UNPUBLISHED.get(short, ()))
        if version == "v1":
            expected |= FIELDS_ONLY_IN_BETA.get(short, set())
        assert ours[name]["id"] == name
        has, should = shape(ours[name])["properties"], shape(theirs[name]).get("properties", {})
        assert set(has) - set(should) == expected, name
        assert {field: has[field] for field in has if field not in expected} == should, name


def test_the_document_is_found_as_googles_is(server: Server) -> None:
    """By version, by default the one that clients use most, with its dollar encoded or not."""
    found = {version: document(server, version) for version in VERSIONS}
    for version, one in found.items():
        assert (one["id"], one["version"]) == (f"aiplatform:{version}", version)
        assert one["rootUrl"] == f"{server.url}/"
    assert httpx.get(f"{server.url}/$discovery/rest").json() == found["v1beta1"]
    assert httpx.get(f"{server.url}/%24discovery/rest?version=v1").json() == found["v1"]
    missing = httpx.get(f"{server.url}/$discovery/rest?version=v2")
    assert missing.status_code == 404
    assert missing.json()["error"]["status"] == "NOT_FOUND"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def service(server: Server, version: str) -> Iterator[Resource]:
    """The client as a user builds it from the server's address."""
    report("google-api-python-client")
    with build(
        "aiplatform",
        version,
        discoveryServiceUrl=server.url + "/$discovery/rest?version={apiVersion}",
        credentials=AnonymousCredentials(),
        cache_discovery=False,
    ) as service:
        yield service


def refusal(request: Any, status: int, message: str) -> HttpError:
    """What the client raises for a request that is refused so."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    error = caught.value
    # What the client makes of it, without white space at the ends; and what was sent.
    assert (error.status_code, error.reason) == (status, message.strip())
    sent = json.loads(error.content)["error"]
    assert (sent["code"], sent["message"]) == (status, message)
    return error


def pages(collection: Any, items: str, **arguments: Any) -> list[list[Any]]:
    """All pages of a list, as the client follows them."""
    found = []
    request = collection.list(**arguments)
    while request is not None:
        answer = request.execute()
        found.append(answer.get(items, []))
        request = collection.list_next(request, answer)
    return found


def type_url(version: str, message: str) -> str:
    return f"type.googleapis.com/google.cloud.aiplatform.{version}.{message}"


def names(items: list[dict[str, Any]]) -> set[str]:
    return {item["name"] for item in items}


def event(number: int) -> dict[str, Any]:
    """One event a second, with a delta in every scope."""
    return {
        "author": "user" if number % 2 == 0 else "assistant",
        "invocationId": f"turn-{number // 2}",
        "timestamp": (START + datetime.timedelta(seconds=number)).isoformat(),
        "content": {"role": "user", "parts": [{"text": f"message {number} – ünïcode 🙂"}]},
        "actions": {
            "stateDelta": dict.fromkeys(("count", "app:events", "user:latest", "temp:scratch"), number)
        },
        "eventMetadata": {"turnComplete": True, "branch": "main"},
    }


def test_the_whole_life(service: Resource, version: str) -> None:
    """Engines, sessions, events, operations and errors, with the methods that the document has."""
    engines = service.projects().locations().reasoningEngines()
    engine = make_engine(engines, version)
    made = make_sessions(engines.sessions(), engine, version)
    list_sessions(engines.sessions(), engine, made)
    append_and_list_events(engines.sessions(), made)
    update_session(engines.sessions(), made["first"])
    follow_operations(engines, engine, version)
    delete_all(engines, engine, made)


def make_engine(engines: Any, version: str) -> str:
    body = {"displayName": "assistant", "labels": {"team": "blue"}}
    operation = engines.create(parent=PARENT, body=body).execute()
    assert operation["done"]
    assert operation["response"]["@type"] == type_url(version, "ReasoningEngine")
    engine = operation["response"]["name"]
    assert engines.get(name=engine).execute()["displayName"] == "assistant"
    assert engine in names(
        [one for page in pages(engines, "reasoningEngines", parent=PARENT) for one in page]
    )
    changed = {"displayName": "renamed", "description": "not in the mask"}
    engines.patch(name=engine, body=changed, updateMask="displayName").execute()
    read = engines.get(name=engine).execute()
    assert (read["displayName"], read.get("description"), read["labels"]) == (
        "renamed",
        None,
        {"team": "blue"},
    )
    return engine


def make_sessions(sessions: Any, engine: str, version: str) -> dict[str, Any]:
    body = {
        "userId": "alice",
        "displayName": "first",
        "sessionState": {"greeting": "hello", "app:model": "m-1", "user:lang": "de"},
        "ttl": "172800s",
        "labels": {"team": "blue"},
    }
    operation = sessions.create(parent=engine, sessionId="first-session", body=body).execute()
    first = operation["response"]
    assert first["@type"] == type_url(version, "Session")
    assert first["name"] == f"{engine}/sessions/first-session"
    expire, create = (datetime.datetime.fromisoformat(first[time]) for time in ("expireTime", "createTime"))
    assert expire - create == datetime.timedelta(days=2)
    refusal(
        sessions.create(parent=engine, sessionId="first-session", body={"userId": "alice"}),
        400,
        f"Session with user-provided ID '{first['name']}' already exists.",
    )
    others = []
    for _ in range(6):
        made = sessions.create(parent=engine, body={"userId": "alice"}).execute()
        others.append(made["response"]["name"])
    bobs = sessions.create(parent=engine, body={"userId": "bob"}).execute()["response"]["name"]
    return {"first": first["name"], "others": others, "bobs": bobs}


def list_sessions(sessions: Any, engine: str, made: dict[str, Any]) -> None:
    walk = pages(
        sessions, "sessions", parent=engine, filter='user_id="alice"', pageSize=3, orderBy="create_time"
    )
    assert [len(page) for page in walk] == [3, 3, 1]
    assert [session["name"] for page in walk for session in page] == [made["first"], *made["others"]]
    some = sessions.list(parent=engine, fields="sessions/userId", orderBy="create_time desc").execute()
    assert some == {"sessions": [{"userId": "bob"}] + [{"userId": "alice"}] * 7}


def append_and_list_events(sessions: Any, made: dict[str, Any]) -> None:
    first = made["first"]
    for number in range(EVENTS):
        assert sessions.appendEvent(name=first, body=event(number)).execute() == {}
    assert sessions.get(name=first).execute()["sessionState"] == {
        "greeting": "hello",
        "count": EVENTS - 1,
        "app:model": "m-1",
        "app:events": EVENTS - 1,
        "user:lang": "de",
        "user:latest": EVENTS - 1,
    }
    assert sessions.get(name=made["others"][0]).execute()["sessionState"] == {
        "app:model": "m-1",
        "app:events": EVENTS - 1,
        "user:lang": "de",
        "user:latest": EVENTS - 1,
    }
    bobs = sessions.get(name=made["bobs"]).execute()["sessionState"]
    assert bobs == {"app:model": "m-1", "app:events": EVENTS - 1}

    walk = pages(sessions.events(), "sessionEvents", parent=first)
    assert [len(page) for page in walk] == [100, 20]
    for number, read in enumerate(one for page in walk for one in page):
        sent = event(number)
        assert read.pop("name").startswith(f"{first}/events/")
        assert datetime.datetime.fromisoformat(read.pop("timestamp")).isoformat() == sent.pop("timestamp")
        assert read == sent
    since = START + datetime.timedelta(seconds=EVENTS - 7)
    late = pages(sessions.events(), "sessionEvents", parent=first, filter=f'timestamp>="{since.isoformat()}"')
    assert [len(page) for page in late] == [7]

    no_author = event(0) | {"author": ""}
    error = refusal(
        sessions.appendEvent(name=first, body=no_author),
        400,
        "List of found errors:\t1.Field: event.author; Message: Required field is not set.\t",
    )
    violation = {"field": "event.author", "description": "Required field is not set."}
    assert error.error_details == [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    ]


def update_session(sessions: Any, first: str) -> None:
    before = sessions.get(name=first).execute()
    changed = sessions.patch(name=first, body={"displayName": "renamed"}, updateMask="displayName").execute()
    assert changed["displayName"] == "renamed"
    assert (changed["labels"], changed["expireTime"]) == (before["labels"], before["expireTime"])
    with pytest.raises(HttpError) as refused:
        body = {"sessionState": {"count": 0}}
        sessions.patch(name=first, body=body, updateMask="sessionState").execute()
    assert refused.value.status_code == 400
    assert "you can only update it by appending an event" in refused.value.reason


def follow_operations(engines: Any, engine: str, version: str) -> None:
    """At each of their parents, with what the client has for them."""
    engine_operations, session_operations = engines.operations(), engines.sessions().operations()
    made = engines.sessions().create(parent=engine, body={"userId": "carol"}).execute()
    session = made["response"]["name"]
    assert made["name"].startswith(f"{session}/operations/")
    assert session_operations.get(name=made["name"]).execute() == made
    assert made["name"] in names(session_operations.list(name=session).execute()["operations"])
    assert session_operations.wait(name=made["name"], timeout="1.5s").execute() == made

    (of_engine,) = [
        operation
        for page in pages(engine_operations, "operations", name=engine)
        for operation in page
        if operation["metadata"]["@type"].endswith(".CreateReasoningEngineOperationMetadata")
    ]
    assert of_engine["response"]["@type"] == type_url(version, "ReasoningEngine")
    assert engine_operations.cancel(name=of_engine["name"]).execute() == {}
    assert engine_operations.get(name=of_engine["name"]).execute() == of_engine

    deleted = engines.sessions().delete(name=session).execute()
    assert deleted["response"] == {"@type": "type.googleapis.com/google.protobuf.Empty"}
    assert deleted["name"].startswith(f"{engine.split('/reasoningEngines/')[0]}/operations/")
    assert engine_operations.delete(name=of_engine["name"]).execute() == {}
    with pytest.raises(HttpError) as gone:
        engine_operations.get(name=of_engine["name"]).execute()
    assert gone.value.status_code == 404


def delete_all(engines: Any, engine: str, made: dict[str, Any]) -> None:
    sessions = engines.sessions()
    assert sessions.delete(name=made["first"]).execute()["done"]
    for request in (
        sessions.get(name=made["first"]),
        sessions.events().list(parent=made["first"]),
        sessions.appendEvent(name=made["first"], body=event(0)),
    ):
        refusal(request, 404, f"Session {made['first']} not found.")
    with pytest.raises(HttpError) as full:
        engines.delete(name=engine).execute()
    assert full.value.status_code == 400
    assert json.loads(full.value.content)["error"]["status"] == "FAILED_PRECONDITION"
    assert "contains child resources: sessions" in full.value.reason
    assert (
        engines.delete(name=engine, force=True)
        .execute()["metadata"]["@type"]
        .endswith(".DeleteOperationMetadata")
    )
    refusal(engines.get(name=engine), 404, "The ReasoningEngine does not exist.")


def test_paths_without_a_location(service: Resource) -> None:
    """Express mode: the short names work by themselves."""
    engines = service.reasoningEngines()
    engine = engines.create(body={"displayName": "express"}).execute()["response"]["name"]
    short = "/".join(engine.split("/")[-2:])
    sessions = engines.sessions()
    session = sessions.create(parent=short, body={"userId": "alice"}).execute()["response"]["name"]
    short_session = "/".join(session.split("/")[-4:])
    sessions.appendEvent(name=short_session, body=event(0)).execute()
    assert len(sessions.events().list(parent=short_session).execute()["sessionEvents"]) == 1
    assert sessions.get(name=short_session).execute()["name"] == session
    assert engines.delete(name=short, force=True).execute()["name"]


def test_the_client_checks_names_by_the_document(service: Resource) -> None:
    """A name of another kind never leaves the client."""
    sessions = service.projects().locations().reasoningEngines().sessions()
    with pytest.raises(TypeError, match="does not match the pattern"):
        sessions.get(name=f"{PARENT}/reasoningEngines/1")
    with pytest.raises(TypeError, match="Missing required parameter"):
        sessions.list()


def test_the_snippet_does_what_it_shows(server: Server) -> None:
    snippet = Path(__file__).parent / "snippets" / "discovery" / "google_api_python_client.py"
    ended = subprocess.run(
        [sys.executable, str(snippet)],
        env=os.environ | {"COLLOQUY_URL": server.url},
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_RUN,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.splitlines() == ["user hello", "{'turns': 1}"]
