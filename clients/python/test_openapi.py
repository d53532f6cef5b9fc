"""The OpenAPI document: valid, in step with the discovery documents, and what the server really does."""

from __future__ import annotations

import collections
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from server import LOCATION, PROJECT, Server, report

VERBS = ("get", "post", "patch", "delete")
VERSIONS = ("v1", "v1beta1")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = 15
SECONDS_TO_RUN = 300
# Some of what is made up meets something that is there; the rest shows what becomes of nonsense.
OFTEN, SOMETIMES = 0.9, 0.5
# The phase that goes through every limit of every field makes hundreds of requests for an operation. Once for
# each RPC is enough: all paths of an RPC lead to the same code.
COVERED = "v1beta1.projects."
FILTERS = {
    "reasoningEngines": 'display_name="for a test"',
    "sessions": 'user_id="alice"',
    "events": 'timestamp>="2026-01-01T00:00:00Z"',
}
ORDERS = {"sessions": "create_time desc", "events": "timestamp desc"}


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/openapi.json")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


@dataclass(frozen=True)
class Operation:
    """One verb at one path."""

    path: str
    verb: str
    id: str

    @property
    def label(self) -> str:
        """What schemathesis calls it."""
        return f"{self.verb.upper()} {self.path}"

    @property
    def collection(self) -> str:
        """Such as `sessions`: the last one of its path."""
        return self.id.split(".")[-2]


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for verb in VERBS:
            if verb in item:
                yield Operation(path, verb, item[verb]["operationId"])


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """By the schema of OpenAPI 3.1, with its references and defaults."""
    report("openapi-spec-validator")
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_it_is_for_who_asks(server: Server, document: dict[str, Any]) -> None:
    """The address is the one that was called."""
    assert document["servers"] == [{"url": server.url}]


@pytest.mark.parametrize("version", VERSIONS)
def test_both_documents_say_the_same(server: Server, document: dict[str, Any], version: str) -> None:
    """Every method of the discovery document is here, with the same path, parameters, body and answer."""
    discovery = httpx.get(f"{server.url}/$discovery/rest", params={"version": version}).json()
    here = {operation.id: operation for operation in operations(document)}
    methods = dict(discovery_methods(discovery))
    assert set(methods) == {id.removeprefix(f"{version}.") for id in here if id.startswith(f"{version}.")}
    for id, method in methods.items():
        operation = here[f"{version}.{id}"]
        described = document["paths"][operation.path][operation.verb]
        assert method["httpMethod"] == operation.verb.upper()
        flat = re.sub(r"\{(\w+)sId\}", r"{\1}", method["flatPath"])
        assert f"/{flat}" == operation.path
        query = {name for name, one in method["parameters"].items() if one["location"] == "query"}
        assert query == {parameter["name"] for parameter in described["parameters"]}
        body = described.get("requestBody", {"content": {"application/json": {"schema": {}}}})
        for schema, reference in (
            (body["content"]["application/json"]["schema"], method.get("request", {})),
            (described["responses"]["200"]["content"]["application/json"]["schema"], method["response"]),
        ):
            assert schema.get("$ref", "").split("/")[-1] == reference.get("$ref", "")


def discovery_methods(of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in of.get("methods", {}).values():
        yield method["id"].removeprefix("aiplatform."), method
    for nested in of.get("resources", {}).values():
        yield from discovery_methods(nested)


def test_the_server_does_as_it_says(server: Server, document: dict[str, Any], tmp_path: Path) -> None:
    """Whatever schemathesis makes up is answered as the document says, never by a failure of the server; and
    every operation has succeeded at least once."""
    report("schemathesis")
    config, events = tmp_path / "schemathesis.toml", tmp_path / "events.ndjson"
    with httpx.Client(base_url=server.url, timeout=30) as rest:
        config.write_text(configuration(rest, operations(document)))
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color"),
            *("run", f"{server.url}/openapi.json", "--checks", CHECKS, "--continue-on-failure"),
            *("--max-examples", str(EXAMPLES), "--generation-deterministic", "--warnings", "off"),
            *("--report", "ndjson", "--report-ndjson-path", str(events)),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_RUN,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    statuses = statuses_by_label(events)
    labels = {operation.label for operation in operations(document)}
    assert set(statuses) == labels, ended.stdout
    never = {label: dict(statuses[label]) for label in labels if not statuses[label][200]}
    assert not never, never


def statuses_by_label(events: Path) -> dict[str, collections.Counter[int]]:
    """How often each operation was answered with each status."""
    found: dict[str, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    with events.open(encoding="utf-8") as lines:
        for line in lines:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for interaction in recorder.get("interactions", {}).values():
                found[recorder["label"]][interaction["response"]["status_code"]] += 1
    return found


def configuration(rest: httpx.Client, operations: Iterator[Operation]) -> str:
    """What schemathesis is told: for each operation, the ids of things that are there and that it may delete,
    and texts that nobody makes up."""
    lines = ["[phases]", "examples.enabled = false", "stateful.enabled = false"]
    for operation in operations:
        known = {f"path.{name}": (value, OFTEN) for name, value in ids(rest, operation).items()}
        known["query.fields"] = ("*", OFTEN)
        known["query.filter"] = (FILTERS.get(operation.collection, ""), SOMETIMES)
        known["query.orderBy"] = (ORDERS.get(operation.collection, ""), SOMETIMES)
        known["query.pageSize"] = (2, SOMETIMES)
        known["query.pageToken"] = ("", SOMETIMES)
        known["query.parent"] = (f"projects/{PROJECT}/locations/{LOCATION}", SOMETIMES)
        known["query.updateMask"] = ("displayName", OFTEN)
        known["body.userId"] = ("alice", OFTEN)
        known["query.timeout"] = ("0.01s", OFTEN)
        covered = json.dumps(operation.id.startswith(COVERED))
        lines += ["[[operations]]", f"include-operation-id = {json.dumps(operation.id)}"]
        lines += [f"phases.coverage.enabled = {covered}"]
        for parameter, (value, probability) in known.items():
            dictionary = json.dumps(f"{operation.id} {parameter}")
            binding = f"{{ dictionary = {dictionary}, probability = {probability} }}"
            lines.append(f"parameters.{json.dumps(parameter)} = {binding}")
        lines.append("")
        for parameter, (value, _) in known.items():
            dictionary = json.dumps(f"{operation.id} {parameter}")
            lines += [f"[dictionaries.{dictionary}]", f"values = [{json.dumps(value)}]"]
    return "\n".join(lines)


def ids(rest: httpx.Client, operation: Operation) -> dict[str, str]:
    """An id for each place in the path, of things made for this operation alone."""
    location = f"projects/{PROJECT}/locations/{LOCATION}/" if "{project}" in operation.path else ""
    engine = made = make(rest, f"/v1beta1/{location}reasoningEngines", {"displayName": "for a test"})
    found = {
        "project": PROJECT,
        "location": LOCATION,
        "reasoningEngine": engine.parent.split("/")[-1],
    }
    # An engine with sessions would not be deleted.
    if "{session}" in operation.path:
        made = make(rest, f"/v1beta1/{engine.parent}/sessions", {"userId": "alice"})
        found["session"] = made.parent.split("/")[-1]
    # Also found at its location, by its id alone.
    return found | {"operation": made.id}


@dataclass(frozen=True)
class LongRunning:
    """The name of a long-running operation, in its parts."""

    parent: str
    id: str


def make(rest: httpx.Client, path: str, body: dict[str, Any]) -> LongRunning:
    answer = rest.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return LongRunning(*answer.json()["name"].split("/operations/"))
