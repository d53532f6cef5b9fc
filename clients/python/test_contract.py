"""What gRPC reflection tells about the server: the same contract as Google's, and enough of it to work with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from server import LOCATION, PROJECT, Server, report

TYPES = {"v1": aiplatform_v1, "v1beta1": aiplatform_v1beta1}
API_SERVICES = [
    f"google.cloud.aiplatform.{version}.{service}"
    for version in TYPES
    for service in ("SessionService", "ReasoningEngineService")
]
OPERATIONS = "google.longrunning.Operations"
# Numbers from here on are ours, for fields that no version of the published types has.
FIRST_EXTENSION = 1001
# One definition serves both versions; these fields are published in the other version only.
PUBLISHED_IN_THE_OTHER_VERSION = {
    "v1": {
        "FunctionCall.id",
        "FunctionResponse.id",
        "RagChunk.chunk_id",
        "RagChunk.file_id",
        "ReasoningEngine.context_spec",
        "ReasoningEngine.traffic_config",
    },
    "v1beta1": {"Part.media_resolution", "VideoMetadata.fps"},
}
# In the published Python types, a field that is named like one of Python's own functions ends in an underscore.
RENAMED_FOR_PYTHON = {"dir_": "dir"}


@pytest.fixture(scope="module")
def channel(server: Server) -> Iterator[grpc.Channel]:
    """A plain-text channel."""
    report("grpcio")
    report("grpcio-reflection")
    with grpc.insecure_channel(server.address) as made:
        yield made


@pytest.fixture(scope="module")
def reflected(channel: grpc.Channel) -> descriptor_pool.DescriptorPool:
    """All that the server says of itself; nothing in it comes from an installed package."""
    return descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


@pytest.mark.parametrize("protocol", ["v1", "v1alpha"])
def test_services_are_listed(channel: grpc.Channel, protocol: str) -> None:
    """Both versions of the reflection protocol, whose messages are the same, list what is served."""
    ask = channel.stream_stream(
        f"/grpc.reflection.{protocol}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    (answer,) = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    listed = {service.name for service in answer.list_services_response.service}
    assert {*API_SERVICES, OPERATIONS, "grpc.health.v1.Health"} <= listed


def snake(name: str) -> str:
    """`CreateSession` as `create_session`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.parametrize("service", API_SERVICES)
def test_services_have_all_methods(reflected: descriptor_pool.DescriptorPool, service: str) -> None:
    """Every method of the published client's transport is there, with the same messages."""
    _, _, _, version, name = service.split(".")
    transport = getattr(TYPES[version], f"{name}Client").get_transport_class("grpc")
    # Methods that the client adds for services which every Google API has.
    common = {"operations", "operation", "location", "locations", "policy", "permissions"}
    published = {
        attribute
        for attribute in vars(transport)
        if isinstance(getattr(transport, attribute), property)
        and attribute.split("_")[-1] not in common | {"channel", "client", "kind"}
    }
    methods = reflected.FindServiceByName(service).methods
    assert {snake(method.name) for method in methods} == published
    for method in methods:
        assert method.input_type.full_name == f"google.cloud.aiplatform.{version}.{method.name}Request"


def test_operations_have_all_methods(reflected: descriptor_pool.DescriptorPool) -> None:
    """The service for operations is the published one."""
    published = operations_pb2.DESCRIPTOR.services_by_name["Operations"]
    described = reflected.FindServiceByName(OPERATIONS)
    assert signatures(described) == signatures(published)


def signatures(service: Any) -> set[tuple[str, str, str]]:
    """The methods of a service, with their messages."""
    return {(m.name, m.input_type.full_name, m.output_type.full_name) for m in service.methods}


def reachable(pool: descriptor_pool.DescriptorPool, services: list[str]) -> list[Descriptor]:
    """All messages that calls of some services can contain, those of our own fields excepted."""
    waiting = [
        message
        for service in services
        for method in pool.FindServiceByName(service).methods
        for message in (method.input_type, method.output_type)
    ]
    found: dict[str, Descriptor] = {}
    while waiting:
        message = waiting.pop()
        if message.full_name not in found:
            found[message.full_name] = message
            published = [field for field in message.fields if field.number < FIRST_EXTENSION]
            waiting += [field.message_type for field in published if field.message_type]
    return list(found.values())


def published(full_name: str) -> Descriptor | EnumDescriptor | None:
    """A message or enum as Google's installed packages describe it."""
    try:
        return descriptor_pool.Default().FindMessageTypeByName(full_name)
    except KeyError:
        pass
    try:
        return descriptor_pool.Default().FindEnumTypeByName(full_name)
    except KeyError:
        return None


def in_other_version(full_name: str) -> str:
    """The same name in the package of the other version."""
    if ".v1beta1." in full_name:
        return full_name.replace(".v1beta1.", ".v1.")
    return full_name.replace(".v1.", ".v1beta1.")


def published_fields(full_name: str) -> dict[str, FieldDescriptor]:
    """The fields of a message that Google publishes, by their names in the protocol."""
    message = published(full_name)
    return {RENAMED_FOR_PYTHON.get(field.name, field.name): field for field in message.fields} if message else {}


def shape(field: FieldDescriptor) -> tuple[Any, ...]:
    """All that decides how a field is written to the wire, whichever version it is of."""
    named = field.message_type or field.enum_type
    if field.message_type and field.message_type.GetOptions().map_entry:
        # Entries of maps have names that nobody sees.
        parts = [field.message_type.fields_by_name[part] for part in ("key", "value")]
        return (field.number, "map", *(shape(part)[1:3] for part in parts))
    oneof = field.containing_oneof
    # Presence of a single field is written as a oneof that is no real one.
    oneof_name = oneof.name if oneof and len(oneof.fields) > 1 else None
    type_name = named.full_name.replace(".v1beta1.", ".v1.") if named else None
    return (field.number, field.type, type_name, field.is_repeated, field.has_presence, oneof_name)


@pytest.mark.parametrize("version", TYPES)
def test_messages_are_those_of_googles_packages(
    reflected: descriptor_pool.DescriptorPool, version: str
) -> None:
    """Every published field is there as published, and every other is named above or has a number of ours."""
    services = [OPERATIONS, *(service for service in API_SERVICES if f".{version}." in service)]
    messages = reachable(reflected, services)
    assert len(messages) > 80
    beyond = set()
    for message in messages:
        here, there = published_fields(message.full_name), published_fields(in_other_version(message.full_name))
        ours = {field.name: field for field in message.fields}
        assert here.keys() <= ours.keys(), message.full_name
        for name, field in ours.items():
            path = f"{message.full_name}.{name}"
            if name in here or name in there:
                assert shape(field) == shape(here.get(name) or there[name]), path
                # A message that only the other version has is named by the field that leads to it.
                if name not in here and here:
                    beyond.add(path.split(f".{version}.")[-1])
            else:
                assert field.number >= FIRST_EXTENSION, path
    assert beyond == PUBLISHED_IN_THE_OTHER_VERSION[version]


def test_enums_are_those_of_googles_packages(reflected: descriptor_pool.DescriptorPool) -> None:
    """Every value has its published name and number, and there are no others."""
    enums = {
        field.enum_type.full_name: field.enum_type
        for message in reachable(reflected, API_SERVICES)
        for field in message.fields
        if field.enum_type and field.number < FIRST_EXTENSION
    }
    assert len(enums) >= 8
    for full_name, enum in enums.items():
        wanted = published(full_name) or published(in_other_version(full_name))
        values = [(value.name, value.number) for value in enum.values]
        assert values == [(value.name, value.number) for value in wanted.values], full_name


class Reflecting:
    """A client that knows of the API what the server tells it, like grpcurl."""

    def __init__(self, channel: grpc.Channel, pool: descriptor_pool.DescriptorPool) -> None:
        self.channel = channel
        self.pool = pool

    def call(self, service: str, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request, both as JSON."""
        described = self.pool.FindServiceByName(service).FindMethodByName(method)
        asked = message_factory.GetMessageClass(described.input_type)()
        json_format.ParseDict(request, asked, descriptor_pool=self.pool)
        answered = message_factory.GetMessageClass(described.output_type)
        invoke = self.channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=type(asked).SerializeToString,
            response_deserializer=answered.FromString,
        )
        return json_format.MessageToDict(invoke(asked, timeout=30), descriptor_pool=self.pool)


@pytest.mark.parametrize("version", TYPES)
def test_a_client_that_has_only_reflection_works(
    channel: grpc.Channel, reflected: descriptor_pool.DescriptorPool, version: str
) -> None:
    """Requests built from nothing but the server's own descriptors do all that a session is for."""
    client = Reflecting(channel, reflected)
    engines, sessions = (
        f"google.cloud.aiplatform.{version}.{name}" for name in ("ReasoningEngineService", "SessionService")
    )
    parent = f"projects/{PROJECT}/locations/{LOCATION}"

    made = client.call(
        engines, "CreateReasoningEngine", {"parent": parent, "reasoningEngine": {"displayName": "reflected"}}
    )
    made = client.call(OPERATIONS, "WaitOperation", {"name": made["name"], "timeout": "10s"})
    assert made["done"]
    assert made["response"]["@type"] == f"type.googleapis.com/google.cloud.aiplatform.{version}.ReasoningEngine"
    engine = made["response"]["name"]

    wanted = {"userId": "alice", "sessionState": {"count": 1, "app:model": "m-1"}}
    request = {"parent": engine, "session": wanted, "sessionId": "reflected"}
    session = client.call(sessions, "CreateSession", request)["response"]
    assert session["@type"] == f"type.googleapis.com/google.cloud.aiplatform.{version}.Session"
    assert session["sessionState"] == wanted["sessionState"]
    name = session["name"]

    event = {
        "author": "user",
        "invocationId": "turn-1",
        "timestamp": "2026-03-01T12:00:00.123456Z",
        "content": {"role": "user", "parts": [{"text": "hello"}, {"partMetadata": {"ours": True}}]},
        "actions": {"stateDelta": {"count": 2.0, "user:lang": "de", "temp:x": None}, "endOfAgent": True},
        "eventMetadata": {"turnComplete": True},
    }
    assert client.call(sessions, "AppendEvent", {"name": name, "event": event}) == {}
    (kept,) = client.call(sessions, "ListEvents", {"parent": name})["sessionEvents"]
    assert kept.pop("name").startswith(f"{name}/events/")
    assert kept == event
    state = client.call(sessions, "GetSession", {"name": name})["sessionState"]
    assert state == {"count": 2.0, "app:model": "m-1", "user:lang": "de"}
    found = client.call(sessions, "ListSessions", {"parent": engine, "filter": 'user_id="alice"'})
    assert [each["name"] for each in found["sessions"]] == [name]

    with pytest.raises(grpc.RpcError) as refused:
        client.call(sessions, "AppendEvent", {"name": name, "event": event | {"author": ""}})
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    (detail,) = rpc_status.from_call(refused.value).details
    violations = error_details_pb2.BadRequest.FromString(detail.value).field_violations
    assert [violation.field for violation in violations] == ["event.author"]

    assert client.call(sessions, "DeleteSession", {"name": name})["done"]
    with pytest.raises(grpc.RpcError) as gone:
        client.call(sessions, "GetSession", {"name": name})
    assert gone.value.code() is grpc.StatusCode.NOT_FOUND
    assert gone.value.details() == f"Session {name} not found."
    deleted = client.call(engines, "DeleteReasoningEngine", {"name": engine, "force": True})
    assert client.call(OPERATIONS, "WaitOperation", {"name": deleted["name"], "timeout": "10s"})["done"]


@pytest.mark.parametrize("service", ["", *API_SERVICES])
def test_health(channel: grpc.Channel, service: str) -> None:
    """Health probes are answered for the server and for each service."""
    report("grpcio-health-checking")
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_health_of_an_unknown_service(channel: grpc.Channel) -> None:
    """A service that is not there is not healthy."""
    stub = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(grpc.RpcError) as unknown:
        stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=30)
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
