"""The whole life of engines, sessions and events through Google's generated clients, over every transport."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2, empty_pb2, field_mask_pb2
from google.rpc import error_details_pb2

from generated import TRANSPORTS, VERSIONS, Generated
from server import LOCATION, PROJECT, Server, report
from settled import collected, settled

PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
START = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc)
# More than one page of the server's default size, so that the client has to follow tokens.
EVENTS = 120
ALICE_SESSIONS = 7
PAGE_SIZE = 3


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_whole_life(server: Server, version: str, transport: str) -> None:
    """Every method of both services works in order, with the types of the version that was called."""
    report("google-cloud-aiplatform")
    report("google-api-core")

    async def life() -> None:
        async with Generated(server, version, transport) as clients:
            engine = await make_engine(clients)
            first = await make_sessions(clients, engine)
            await list_sessions(clients, engine)
            await append_and_list_events(clients, first)
            await update_session(clients, first)
            await refuse_events(clients, first)
            await ask_for_operations(clients, engine)
            await delete_all(clients, engine, first)

    asyncio.run(life())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_express_mode(server: Server, transport: str) -> None:
    """Names without a project and a location work in the version that publishes them."""
    report("google-cloud-aiplatform")

    async def life() -> None:
        async with Generated(server, "v1beta1", transport) as clients:
            types = clients.types
            request = types.CreateReasoningEngineRequest(reasoning_engine={"display_name": "express"})
            made = await settled(clients.engines.create_reasoning_engine(request=request))
            engine = (await settled(made.result())).name
            short = "/".join(engine.split("/")[-2:])
            wanted = types.Session(user_id="alice")
            made = await settled(clients.sessions.create_session(parent=short, session=wanted))
            session = "/".join((await settled(made.result())).name.split("/")[-4:])
            assert session.startswith(f"{short}/sessions/")
            await settled(clients.sessions.append_event(name=session, event=event(clients, 1)))
            assert state(await settled(clients.sessions.get_session(name=session)))["count"] == 1
            assert len(await collected(await settled(clients.sessions.list_events(parent=session)))) == 1
            request = types.DeleteReasoningEngineRequest(name=short, force=True)
            deleted = await settled(clients.engines.delete_reasoning_engine(request=request))
            await settled(deleted.result())

    asyncio.run(life())


async def done(operation: Any, clients: Generated, result: type, metadata: str) -> Any:
    """The result of an operation, which like its metadata must be of the version that was called."""
    operation = await settled(operation)
    assert operation.operation.metadata.type_url == f"type.googleapis.com/{clients.package}.{metadata}"
    answer = await settled(operation.result())
    assert isinstance(answer, result)
    assert isinstance(operation.metadata, getattr(clients.types, metadata))
    assert operation.metadata.generic_metadata.create_time is not None
    return answer


def state(session: Any) -> dict[str, Any]:
    """A session's state as plain values."""
    return type(session).to_dict(session).get("session_state") or {}


def check(error: exceptions.GoogleAPICallError, clients: Generated, want: type, text: str) -> None:
    """That an error is of its type and says what the live service says."""
    if clients.is_rest:
        # Over REST this library knows the HTTP status alone, and puts the request before the text.
        want = exceptions.BadRequest if issubclass(want, exceptions.BadRequest) else want
        assert error.message.endswith(f": {text}"), error.message
    else:
        assert error.message == text
    assert type(error) is want


def violated_fields(error: exceptions.GoogleAPICallError) -> list[str]:
    """The fields that an error's details name."""
    fields = []
    for detail in error.details:
        # Over REST the library leaves details as the JSON that they came in.
        if isinstance(detail, dict):
            assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
            fields += [violation["field"] for violation in detail["fieldViolations"]]
        else:
            assert isinstance(detail, error_details_pb2.BadRequest)
            fields += [violation.field for violation in detail.field_violations]
    return fields


async def make_engine(clients: Generated) -> str:
    """An engine: made, read, listed and renamed."""
    types = clients.types
    wanted = types.ReasoningEngine(display_name="assistant", labels={"team": "blue"})
    made = await done(
        clients.engines.create_reasoning_engine(parent=PARENT, reasoning_engine=wanted),
        clients,
        types.ReasoningEngine,
        "CreateReasoningEngineOperationMetadata",
    )
    assert (made.display_name, dict(made.labels)) == ("assistant", {"team": "blue"})
    assert made.name.startswith(f"{PARENT}/reasoningEngines/")
    assert await settled(clients.engines.get_reasoning_engine(name=made.name)) == made

    request = types.ListReasoningEnginesRequest(parent=PARENT, page_size=PAGE_SIZE)
    engines = await collected(await settled(clients.engines.list_reasoning_engines(request=request)))
    assert made.name in [engine.name for engine in engines]

    renamed = await done(
        clients.engines.update_reasoning_engine(
            reasoning_engine=types.ReasoningEngine(
                name=made.name, display_name="renamed", description="not named by the mask"
            ),
            update_mask=field_mask_pb2.FieldMask(paths=["display_name"]),
        ),
        clients,
        types.ReasoningEngine,
        "UpdateReasoningEngineOperationMetadata",
    )
    assert (renamed.display_name, renamed.description) == ("renamed", "")
    assert dict(renamed.labels) == {"team": "blue"}
    return made.name


async def make_sessions(clients: Generated, engine: str) -> Any:
    """Alice's first session, six more of hers, and one of bob's."""
    types = clients.types

    async def create(session: Any, **options: Any) -> Any:
        return await done(
            clients.sessions.create_session(parent=engine, session=session, **options),
            clients,
            types.Session,
            "CreateSessionOperationMetadata",
        )

    wanted = types.Session(
        user_id="alice",
        display_name="first",
        session_state={"greeting": "hello", "app:model": "m-1", "user:lang": "de", "temp:x": 1, "count": 0},
        ttl=duration_pb2.Duration(seconds=172_800),
        labels={"team": "blue"},
    )
    first = await create(wanted, session_id="first-session")
    assert first.name == f"{engine}/sessions/first-session"
    assert (first.user_id, first.display_name, dict(first.labels)) == ("alice", "first", {"team": "blue"})
    assert state(first) == {"greeting": "hello", "app:model": "m-1", "user:lang": "de", "count": 0}
    two_days = datetime.timedelta(days=2)
    assert abs(first.expire_time - first.create_time - two_days) < datetime.timedelta(seconds=1)
    assert await settled(clients.sessions.get_session(name=first.name)) == first

    for number in range(ALICE_SESSIONS - 1):
        other = await create(types.Session(user_id="alice", display_name=f"other {number}"))
        assert other.name.split("/")[-1].isdigit()
        assert state(other) == {"app:model": "m-1", "user:lang": "de"}
    expire_time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=40)
    bobs = await create(types.Session(user_id="bob", expire_time=expire_time))
    assert abs(bobs.expire_time - expire_time) < datetime.timedelta(milliseconds=1)
    assert state(bobs) == {"app:model": "m-1"}

    with pytest.raises(exceptions.BadRequest) as taken:
        await create(types.Session(user_id="alice"), session_id="first-session")
    text = f"Session with user-provided ID '{first.name}' already exists."
    check(taken.value, clients, exceptions.InvalidArgument, text)
    return first


async def list_sessions(clients: Generated, engine: str) -> None:
    """Lists with a filter and an order, over pages that the client walks."""
    request = clients.types.ListSessionsRequest(
        parent=engine, filter='user_id="alice"', page_size=PAGE_SIZE, order_by="create_time desc"
    )
    pager = await settled(clients.sessions.list_sessions(request=request))
    pages = [list(page.sessions) for page in await collected(pager.pages)]
    assert [len(page) for page in pages] == [3, 3, 1]
    last = ALICE_SESSIONS - 2
    names = [session.display_name for page in pages for session in page]
    assert names == [*(f"other {number}" for number in range(last, -1, -1)), "first"]
    pager = await settled(clients.sessions.list_sessions(parent=engine))
    assert len(await collected(pager)) == ALICE_SESSIONS + 1


def event(clients: Generated, number: int) -> Any:
    """An event with parts of several kinds and a delta in every scope."""
    types = clients.types
    return types.SessionEvent(
        author="user" if number % 2 == 0 else "assistant",
        invocation_id=f"turn-{number // 2}",
        timestamp=START + datetime.timedelta(seconds=number),
        content=types.Content(
            role="model",
            parts=[
                types.Part(text=f"message {number} – ünïcode 🙂"),
                types.Part(function_call=types.FunctionCall(name="search", args={"q": "x", "n": [1, None]})),
                types.Part(inline_data=types.Blob(mime_type="image/png", data=bytes(range(256)))),
                types.Part(
                    executable_code=types.ExecutableCode(
                        language=types.ExecutableCode.Language.PYTHON, code="print(1)"
                    )
                ),
            ],
        ),
        actions=types.EventActions(
            state_delta={
                "count": number,
                "nested": {"last": number},
                "app:events": number,
                "user:latest": f"turn-{number // 2}",
                "temp:scratch": number,
            },
            artifact_delta={"report.pdf": number},
        ),
        event_metadata=types.EventMetadata(
            turn_complete=True,
            branch="main",
            long_running_tool_ids=["call-1"],
            custom_metadata={"trace": "abc"},
        ),
        raw_event={"id": f"e-{number}"},
    )


async def append_and_list_events(clients: Generated, first: Any) -> None:
    """Events come back as they were sent, and their deltas reach all that they are meant for."""
    sent = [event(clients, number) for number in range(EVENTS)]
    for each in sent:
        answer = await settled(clients.sessions.append_event(name=first.name, event=each))
        assert isinstance(answer, clients.types.AppendEventResponse)

    pager = await settled(clients.sessions.list_events(parent=first.name))
    pages = [list(page.session_events) for page in await collected(pager.pages)]
    assert [len(page) for page in pages] == [100, 20]
    kept = [each for page in pages for each in page]
    assert len({each.name for each in kept}) == EVENTS
    for each in kept:
        assert each.name.startswith(f"{first.name}/events/")
        each.name = ""
    assert kept == sent

    since = START + datetime.timedelta(seconds=EVENTS - 5)
    request = clients.types.ListEventsRequest(
        parent=first.name, filter=f'timestamp>="{since.isoformat()}"', order_by="timestamp desc"
    )
    late = await collected(await settled(clients.sessions.list_events(request=request)))
    assert [each.invocation_id for each in late] == [each.invocation_id for each in sent[: -5 - 1 : -1]]

    session = await settled(clients.sessions.get_session(name=first.name))
    assert state(session) == {
        "greeting": "hello",
        "count": EVENTS - 1,
        "nested": {"last": EVENTS - 1},
        "app:model": "m-1",
        "app:events": EVENTS - 1,
        "user:lang": "de",
        "user:latest": f"turn-{(EVENTS - 1) // 2}",
    }


async def update_session(clients: Generated, first: Any) -> None:
    """A mask changes what it names and nothing else, and never the state."""
    types = clients.types
    updated = await settled(
        clients.sessions.update_session(
            session=types.Session(name=first.name, display_name="renamed", labels={"not": "named"}),
            update_mask=field_mask_pb2.FieldMask(paths=["display_name"]),
        )
    )
    assert isinstance(updated, types.Session)
    assert (updated.display_name, dict(updated.labels)) == ("renamed", {"team": "blue"})
    assert updated.expire_time == first.expire_time
    assert await settled(clients.sessions.get_session(name=first.name)) == updated

    with pytest.raises(exceptions.BadRequest) as refused:
        await settled(
            clients.sessions.update_session(
                session=types.Session(name=first.name, session_state={"count": 0}),
                update_mask=field_mask_pb2.FieldMask(paths=["session_state"]),
            )
        )
    assert "you can only update it by appending an event" in refused.value.message


async def refuse_events(clients: Generated, first: Any) -> None:
    """What an event lacks is said in the text and in the details of the error."""
    nameless = event(clients, 0)
    nameless.author = ""
    with pytest.raises(exceptions.BadRequest) as missing:
        await settled(clients.sessions.append_event(name=first.name, event=nameless))
    text = "List of found errors:\t1.Field: event.author; Message: Required field is not set.\t"
    check(missing.value, clients, exceptions.InvalidArgument, text)
    assert violated_fields(missing.value) == ["event.author"]

    missing_name = first.name.replace("first-session", "no-such-session")
    with pytest.raises(exceptions.NotFound) as gone:
        await settled(clients.sessions.append_event(name=missing_name, event=event(clients, 0)))
    check(gone.value, clients, exceptions.NotFound, f"Session {missing_name} not found.")


async def ask_for_operations(clients: Generated, engine: str) -> None:
    """An operation can be asked for, waited for, listed, cancelled in vain and forgotten, by either client."""
    types = clients.types
    sessions = clients.sessions
    created = await settled(sessions.create_session(parent=engine, session=types.Session(user_id="carol")))
    session = await settled(created.result())
    name = created.operation.name
    assert name.startswith(f"{session.name}/operations/")

    for client in (clients.sessions, clients.engines):
        request = operations_pb2.GetOperationRequest(name=name)
        again = await settled(client.get_operation(request))
        assert (again.name, again.done) == (name, True)
        assert again.response.type_url == f"type.googleapis.com/{clients.package}.Session"
        kept = types.Session.deserialize(again.response.value)
        assert (kept.name, kept.user_id) == (session.name, "carol")
        wait = operations_pb2.WaitOperationRequest(name=name, timeout=duration_pb2.Duration(seconds=5))
        waited = await settled(client.wait_operation(wait))
        if not clients.is_rest:
            # Over gRPC this library hands out the answer as it came in.
            waited = operations_pb2.Operation.FromString(waited)
        assert waited == again

    # Clients of other languages ask for it by its id alone, at the location.
    bare = f"{PARENT}/operations/{name.split('/')[-1]}"
    again = await settled(sessions.get_operation(operations_pb2.GetOperationRequest(name=bare)))
    assert again.response.type_url == f"type.googleapis.com/{clients.package}.Session"

    request = operations_pb2.ListOperationsRequest(name=session.name, page_size=PAGE_SIZE)
    listed = await settled(sessions.list_operations(request))
    assert [operation.name for operation in listed.operations] == [name]
    request = operations_pb2.ListOperationsRequest(name=engine)
    listed = await settled(clients.engines.list_operations(request))
    assert f"{clients.package}.CreateReasoningEngineOperationMetadata" in {
        operation.metadata.type_url.split("/")[-1] for operation in listed.operations
    }

    # What is done cannot be cancelled any more; asking is no error.
    await settled(sessions.cancel_operation(operations_pb2.CancelOperationRequest(name=name)))
    assert (await settled(sessions.get_operation(operations_pb2.GetOperationRequest(name=name)))).done

    await settled(sessions.delete_operation(operations_pb2.DeleteOperationRequest(name=name)))
    with pytest.raises(exceptions.NotFound):
        await settled(sessions.get_operation(operations_pb2.GetOperationRequest(name=name)))


async def delete_all(clients: Generated, engine: str, first: Any) -> None:
    """Gone at once, for every way to ask; an engine with sessions goes only by force."""
    sessions, engines = clients.sessions, clients.engines
    await done(
        sessions.delete_session(name=first.name), clients, empty_pb2.Empty, "DeleteOperationMetadata"
    )
    for ask in (
        lambda: sessions.get_session(name=first.name),
        lambda: sessions.list_events(parent=first.name),
        lambda: sessions.delete_session(name=first.name),
    ):
        with pytest.raises(exceptions.NotFound) as gone:
            await settled(ask())
        check(gone.value, clients, exceptions.NotFound, f"Session {first.name} not found.")

    with pytest.raises(exceptions.BadRequest) as full:
        await settled(engines.delete_reasoning_engine(name=engine))
    text = (
        f'The ReasoningEngine "{engine}" contains child resources: sessions. Please delete the child resources'
        " before deleting the ReasoningEngine, or set force to true to delete child resources."
    )
    check(full.value, clients, exceptions.FailedPrecondition, text)

    request = clients.types.DeleteReasoningEngineRequest(name=engine, force=True)
    deleted = await settled(engines.delete_reasoning_engine(request=request))
    await done(deleted, clients, empty_pb2.Empty, "DeleteOperationMetadata")
    # This operation belongs to the location, for which the REST clients ask without a version in the path.
    asked = operations_pb2.GetOperationRequest(name=deleted.operation.name)
    again = await settled(engines.get_operation(asked))
    assert again.done
    assert again.metadata.type_url == f"type.googleapis.com/{clients.package}.DeleteOperationMetadata"
    assert again.response.Is(empty_pb2.Empty.DESCRIPTOR)
    with pytest.raises(exceptions.NotFound) as gone:
        await settled(engines.get_reasoning_engine(name=engine))
    check(gone.value, clients, exceptions.NotFound, "The ReasoningEngine does not exist.")
