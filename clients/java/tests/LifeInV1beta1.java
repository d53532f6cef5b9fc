import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.InstantiatingGrpcChannelProvider;
import com.google.api.gax.longrunning.OperationFuture;
import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.FailedPreconditionException;
import com.google.api.gax.rpc.InvalidArgumentException;
import com.google.api.gax.rpc.NotFoundException;
import com.google.cloud.aiplatform.v1beta1.AppendEventResponse;
import com.google.cloud.aiplatform.v1beta1.Blob;
import com.google.cloud.aiplatform.v1beta1.Content;
import com.google.cloud.aiplatform.v1beta1.CreateReasoningEngineOperationMetadata;
import com.google.cloud.aiplatform.v1beta1.CreateSessionOperationMetadata;
import com.google.cloud.aiplatform.v1beta1.DeleteOperationMetadata;
import com.google.cloud.aiplatform.v1beta1.DeleteReasoningEngineRequest;
import com.google.cloud.aiplatform.v1beta1.EventActions;
import com.google.cloud.aiplatform.v1beta1.EventMetadata;
import com.google.cloud.aiplatform.v1beta1.FileData;
import com.google.cloud.aiplatform.v1beta1.FunctionCall;
import com.google.cloud.aiplatform.v1beta1.FunctionResponse;
import com.google.cloud.aiplatform.v1beta1.ListEventsRequest;
import com.google.cloud.aiplatform.v1beta1.ListReasoningEnginesRequest;
import com.google.cloud.aiplatform.v1beta1.ListSessionsRequest;
import com.google.cloud.aiplatform.v1beta1.Part;
import com.google.cloud.aiplatform.v1beta1.ReasoningEngine;
import com.google.cloud.aiplatform.v1beta1.ReasoningEngineServiceClient;
import com.google.cloud.aiplatform.v1beta1.ReasoningEngineServiceSettings;
import com.google.cloud.aiplatform.v1beta1.Session;
import com.google.cloud.aiplatform.v1beta1.SessionEvent;
import com.google.cloud.aiplatform.v1beta1.SessionServiceClient;
import com.google.cloud.aiplatform.v1beta1.SessionServiceSettings;
import com.google.cloud.aiplatform.v1beta1.Transcription;
import com.google.cloud.aiplatform.v1beta1.UpdateReasoningEngineOperationMetadata;
import com.google.longrunning.Operation;
import com.google.longrunning.OperationsClient;
import com.google.longrunning.WaitOperationRequest;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.JsonFormat;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.function.Executable;

/**
 * What the generated clients do, over gRPC. `AiplatformGrpcTest` runs each public method in this version, and in v1
 * after it has put that name in place of this one in the source: the generated classes of the two share no types.
 */
public final class LifeInV1beta1 implements AutoCloseable {
    private static final int ALICE_SESSIONS = 7;
    private static final int EVENTS = 250;
    private static final int PAGE_SIZE = 3;
    private static final long START = 1_772_366_400L;
    private static final String TYPES = "type.googleapis.com/google.cloud.aiplatform.v1beta1.";

    private final ReasoningEngineServiceClient engines;
    private final SessionServiceClient sessions;
    private final OperationsClient operations;

    public LifeInV1beta1() throws IOException {
        InstantiatingGrpcChannelProvider transport = SessionServiceSettings.defaultGrpcTransportProviderBuilder()
                .setEndpoint(URI.create(Target.url()).getAuthority())
                .setChannelConfigurator(ManagedChannelBuilder::usePlaintext)
                .build();
        engines = ReasoningEngineServiceClient.create(ReasoningEngineServiceSettings.newBuilder()
                .setTransportChannelProvider(transport)
                .setCredentialsProvider(NoCredentialsProvider.create())
                .build());
        sessions = SessionServiceClient.create(SessionServiceSettings.newBuilder()
                .setTransportChannelProvider(transport)
                .setCredentialsProvider(NoCredentialsProvider.create())
                .build());
        operations = sessions.getOperationsClient();
    }

    @Override
    public void close() {
        sessions.close();
        engines.close();
    }

    public void engines() throws Exception {
        String shared = "java-" + UUID.randomUUID();
        List<String> made = new ArrayList<>();
        for (int number = 0; number < 4; number++) {
            OperationFuture<ReasoningEngine, CreateReasoningEngineOperationMetadata> creation =
                    engines.createReasoningEngineAsync(
                            Target.PARENT,
                            ReasoningEngine.newBuilder()
                                    .setDisplayName(shared)
                                    .setDescription("number " + number)
                                    .putLabels("team", "blue")
                                    .build());
            ReasoningEngine engine = creation.get();
            assertTrue(engine.getName().matches(Target.PARENT + "/reasoningEngines/\\d+"), engine.getName());
            assertTrue(creation.getName().startsWith(engine.getName() + "/operations/"), creation.getName());
            assertTrue(creation.getMetadata().get().getGenericMetadata().hasCreateTime());
            assertEquals(engine, engines.getReasoningEngine(engine.getName()));
            made.add(engine.getName());
        }
        ListReasoningEnginesRequest request = ListReasoningEnginesRequest.newBuilder()
                .setParent(Target.PARENT)
                .setFilter("display_name=\"" + shared + "\"")
                .setPageSize(PAGE_SIZE)
                .build();
        List<Integer> pages = new ArrayList<>();
        Set<String> listed = new HashSet<>();
        for (var page : engines.listReasoningEngines(request).iteratePages()) {
            pages.add(page.getPageElementCount());
            page.getValues().forEach(engine -> listed.add(engine.getName()));
        }
        assertEquals(List.of(3, 1), pages);
        assertEquals(Set.copyOf(made), listed);

        OperationFuture<ReasoningEngine, UpdateReasoningEngineOperationMetadata> update =
                engines.updateReasoningEngineAsync(
                        ReasoningEngine.newBuilder().setName(made.get(0)).setDisplayName("renamed").build(),
                        mask("display_name"));
        assertEquals("renamed", update.get().getDisplayName());
        assertTrue(update.getMetadata().get().getGenericMetadata().hasUpdateTime());
        ReasoningEngine renamed = engines.getReasoningEngine(made.get(0));
        assertEquals("renamed", renamed.getDisplayName());
        assertEquals("number 0", renamed.getDescription());
        assertEquals("blue", renamed.getLabelsOrThrow("team"));

        sessions.createSessionAsync(made.get(0), session("alice")).get();
        FailedPreconditionException full = refusal(
                FailedPreconditionException.class,
                () -> engines.deleteReasoningEngineAsync(made.get(0)).get());
        assertEquals(
                "The ReasoningEngine \"" + made.get(0) + "\" contains child resources: sessions. Please delete the"
                        + " child resources before deleting the ReasoningEngine, or set force to true to delete child"
                        + " resources.",
                text(full));
        OperationFuture<Empty, DeleteOperationMetadata> deletion =
                engines.deleteReasoningEngineAsync(DeleteReasoningEngineRequest.newBuilder()
                        .setName(made.get(0))
                        .setForce(true)
                        .build());
        assertEquals(Empty.getDefaultInstance(), deletion.get());
        assertTrue(deletion.getMetadata().get().getGenericMetadata().hasCreateTime());
        engines.deleteReasoningEngineAsync(made.get(1)).get();
        for (String gone : made.subList(0, 2)) {
            NotFoundException missing =
                    refusal(NotFoundException.class, () -> engines.getReasoningEngine(gone));
            assertEquals("The ReasoningEngine does not exist.", text(missing));
        }
    }

    public void sessions() throws Exception {
        String engine = makeEngine();
        Session asked = session("alice").toBuilder()
                .setDisplayName("first")
                .setSessionState(struct("{'greeting': 'hello', 'app:model': 'm-1', 'user:lang': 'de', 'count': 0}"))
                .setTtl(Duration.newBuilder().setSeconds(172_800))
                .putLabels("team", "blue")
                .putLabels("größe", "klein")
                .build();
        Session first = sessions.createSessionAsync(engine, asked, "first-session").get();
        assertEquals(engine + "/sessions/first-session", first.getName());
        assertEquals(asked.getSessionState(), first.getSessionState());
        assertEquals(asked.getLabelsMap(), first.getLabelsMap());
        assertEquals(172_800, first.getExpireTime().getSeconds() - first.getCreateTime().getSeconds(), 1);
        assertEquals(first, sessions.getSession(first.getName()));

        List<String> alices = new ArrayList<>(List.of(first.getName()));
        while (alices.size() < ALICE_SESSIONS) {
            alices.add(sessions.createSessionAsync(engine, session("alice")).get().getName());
        }
        Timestamp expiry = Timestamp.newBuilder()
                .setSeconds(first.getCreateTime().getSeconds() + 40 * 86_400)
                .setNanos(250_000_000)
                .build();
        Session bobs = sessions.createSessionAsync(
                        engine, session("bob").toBuilder().setExpireTime(expiry).build())
                .get();
        assertEquals(expiry, bobs.getExpireTime());
        assertEquals(struct("{'app:model': 'm-1'}"), bobs.getSessionState());
        assertTrue(bobs.getName().matches(engine + "/sessions/\\d+"), bobs.getName());

        ListSessionsRequest.Builder request =
                ListSessionsRequest.newBuilder().setParent(engine).setPageSize(PAGE_SIZE);
        List<Integer> pages = new ArrayList<>();
        List<String> listed = new ArrayList<>();
        request.setFilter("user_id=\"alice\"").setOrderBy("create_time");
        for (var page : sessions.listSessions(request.build()).iteratePages()) {
            pages.add(page.getPageElementCount());
            page.getValues().forEach(session -> listed.add(session.getName()));
        }
        assertEquals(List.of(3, 3, 1), pages);
        assertEquals(alices, listed);
        request.setFilter("labels.team=\"blue\"");
        assertEquals(List.of(first.getName()), names(request.build()));
        request.setFilter("").setOrderBy("create_time desc");
        assertEquals(bobs.getName(), names(request.build()).get(0));
        assertEquals(ALICE_SESSIONS + 1, names(request.build()).size());

        Session renamed = sessions.updateSession(
                first.toBuilder().setDisplayName("renamed").clearLabels().build(), mask("display_name"));
        assertEquals("renamed", renamed.getDisplayName());
        assertEquals(first.getLabelsMap(), renamed.getLabelsMap());
        assertEquals(renamed, sessions.getSession(first.getName()));
        InvalidArgumentException refused = refusal(
                InvalidArgumentException.class,
                () -> sessions.updateSession(
                        first.toBuilder().setSessionState(struct("{'count': 1}")).build(), mask("session_state")));
        assertTrue(text(refused).endsWith("you can only update it by appending an event."), text(refused));
        assertEquals(first.getSessionState(), sessions.getSession(first.getName()).getSessionState());

        OperationFuture<Empty, DeleteOperationMetadata> deletion = sessions.deleteSessionAsync(first.getName());
        assertEquals(Empty.getDefaultInstance(), deletion.get());
        assertTrue(deletion.getMetadata().get().getGenericMetadata().hasCreateTime());
        for (Executable ask : List.<Executable>of(
                () -> sessions.getSession(first.getName()),
                () -> sessions.listEvents(first.getName()),
                () -> sessions.appendEvent(first.getName(), event(0)),
                () -> sessions.deleteSessionAsync(first.getName()).get())) {
            NotFoundException missing = refusal(NotFoundException.class, ask);
            assertEquals("Session " + first.getName() + " not found.", text(missing));
        }
        request.setFilter("user_id=\"alice\"").setOrderBy("create_time");
        assertEquals(alices.subList(1, ALICE_SESSIONS), names(request.build()));
        assertEquals(
                struct("{'app:model': 'm-1', 'user:lang': 'de'}"),
                sessions.getSession(alices.get(1)).getSessionState());
    }

    public void events() throws Exception {
        String engine = makeEngine();
        Session session = sessions.createSessionAsync(engine, session("alice")).get();
        Session other = sessions.createSessionAsync(engine, session("alice")).get();
        Session bobs = sessions.createSessionAsync(engine, session("bob")).get();
        for (int number = 0; number < EVENTS; number++) {
            assertEquals(
                    AppendEventResponse.getDefaultInstance(),
                    sessions.appendEvent(session.getName(), event(number)));
        }
        Session grown = sessions.getSession(session.getName());
        assertEquals(
                struct("{'count': 249, 'app:events': 249, 'user:latest': 'turn-124', 'none': null,"
                        + " 'deep': {'list': [249, 'two', false]}}"),
                grown.getSessionState());
        assertEquals(
                struct("{'app:events': 249, 'user:latest': 'turn-124'}"),
                sessions.getSession(other.getName()).getSessionState());
        assertEquals(struct("{'app:events': 249}"), sessions.getSession(bobs.getName()).getSessionState());
        assertEquals(session.getExpireTime(), grown.getExpireTime());

        List<Integer> pages = new ArrayList<>();
        List<SessionEvent> listed = new ArrayList<>();
        for (var page : sessions.listEvents(session.getName()).iteratePages()) {
            pages.add(page.getPageElementCount());
            page.getValues().forEach(listed::add);
        }
        assertEquals(List.of(100, 100, 50), pages);
        assertEquals(
                IntStream.range(0, EVENTS).mapToObj(LifeInV1beta1::event).toList(),
                listed.stream().map(event -> event.toBuilder().clearName().build()).toList());
        assertEquals(EVENTS, listed.stream().map(SessionEvent::getName).distinct().count());
        assertTrue(listed.get(7).getName().matches(session.getName() + "/events/\\d+"), listed.get(7).getName());

        ListEventsRequest.Builder request =
                ListEventsRequest.newBuilder().setParent(session.getName()).setPageSize(PAGE_SIZE);
        // Event 245 is at this very moment.
        request.setFilter("timestamp>=\"2026-03-01T13:04:05.250+01:00\"");
        assertEquals(listed.subList(245, EVENTS), events(request.build()));
        request.setOrderBy("timestamp desc").setFilter("timestamp<\"2026-03-01T12:00:02.250Z\"");
        assertEquals(List.of(listed.get(1), listed.get(0)), events(request.build()));
    }

    public void operations() throws Exception {
        String engine = makeEngine();
        OperationFuture<Session, CreateSessionOperationMetadata> creation =
                sessions.createSessionAsync(engine, session("alice"));
        Session session = creation.get();
        String name = creation.getName();
        assertTrue(name.startsWith(session.getName() + "/operations/"), name);
        assertTrue(creation.getMetadata().get().getGenericMetadata().hasCreateTime());

        Operation polled = operations.getOperation(name);
        assertTrue(polled.getDone());
        assertEquals(TYPES + "Session", polled.getResponse().getTypeUrl());
        assertEquals(session, polled.getResponse().unpack(Session.class));
        assertEquals(TYPES + "CreateSessionOperationMetadata", polled.getMetadata().getTypeUrl());
        assertEquals(
                creation.getMetadata().get(), polled.getMetadata().unpack(CreateSessionOperationMetadata.class));
        WaitOperationRequest wait = WaitOperationRequest.newBuilder()
                .setName(name)
                .setTimeout(Duration.newBuilder().setSeconds(1))
                .build();
        assertEquals(polled, operations.waitOperation(wait));
        List<Operation> listed = new ArrayList<>();
        operations.listOperations(session.getName(), "").iterateAll().forEach(listed::add);
        assertEquals(List.of(polled), listed);

        // The location keeps what has no parent of its own any more.
        OperationFuture<Empty, DeleteOperationMetadata> deletion = sessions.deleteSessionAsync(session.getName());
        deletion.get();
        assertTrue(deletion.getName().matches(Target.PARENT + "/operations/\\d+"), deletion.getName());
        Operation deleted = operations.getOperation(deletion.getName());
        assertEquals(Any.pack(Empty.getDefaultInstance()), deleted.getResponse());
        assertEquals(TYPES + "DeleteOperationMetadata", deleted.getMetadata().getTypeUrl());

        operations.cancelOperation(deletion.getName());
        assertEquals(deleted, operations.getOperation(deletion.getName()));
        operations.deleteOperation(deletion.getName());
        refusal(NotFoundException.class, () -> operations.getOperation(deletion.getName()));
    }

    public void refusals() throws Exception {
        String engine = makeEngine();
        Session session = sessions.createSessionAsync(engine, session("alice"), "taken").get();
        InvalidArgumentException taken = refusal(
                InvalidArgumentException.class,
                () -> sessions.createSessionAsync(engine, session("alice"), "taken").get());
        assertEquals("Session with user-provided ID '" + session.getName() + "' already exists.", text(taken));

        InvalidArgumentException incomplete = refusal(
                InvalidArgumentException.class,
                () -> sessions.appendEvent(
                        session.getName(), event(0).toBuilder().clearAuthor().build()));
        assertEquals(
                "List of found errors:\t1.Field: event.author; Message: Required field is not set.\t",
                text(incomplete));
        var violations = incomplete.getErrorDetails().getBadRequest().getFieldViolationsList();
        assertEquals(1, violations.size());
        assertEquals("event.author", violations.get(0).getField());
        assertEquals("Required field is not set.", violations.get(0).getDescription());
        assertEquals(List.of(), events(ListEventsRequest.newBuilder().setParent(session.getName()).build()));

        NotFoundException missing =
                refusal(NotFoundException.class, () -> sessions.getSession(engine + "/sessions/never-made"));
        assertEquals("Session " + engine + "/sessions/never-made not found.", text(missing));
        InvalidArgumentException malformed =
                refusal(InvalidArgumentException.class, () -> sessions.getSession(engine + "/sessions/Not_An_Id"));
        assertEquals(
                "List of found errors:\t1.Field: name; Message: Invalid Session resource name.\t", text(malformed));
        NotFoundException homeless = refusal(
                NotFoundException.class,
                () -> sessions.createSessionAsync(Target.PARENT + "/reasoningEngines/1", session("alice")).get());
        assertEquals("The ReasoningEngine does not exist.", text(homeless));
        ListSessionsRequest request = ListSessionsRequest.newBuilder()
                .setParent(engine)
                .setFilter("user_id=")
                .build();
        InvalidArgumentException unclear =
                refusal(InvalidArgumentException.class, () -> sessions.listSessions(request));
        assertEquals(
                "filter",
                unclear.getErrorDetails().getBadRequest().getFieldViolations(0).getField());
    }

    private String makeEngine() throws Exception {
        ReasoningEngine engine = ReasoningEngine.newBuilder().setDisplayName("java").build();
        return engines.createReasoningEngineAsync(Target.PARENT, engine).get().getName();
    }

    private List<String> names(ListSessionsRequest request) {
        List<String> names = new ArrayList<>();
        sessions.listSessions(request).iterateAll().forEach(session -> names.add(session.getName()));
        return names;
    }

    private List<SessionEvent> events(ListEventsRequest request) {
        List<SessionEvent> events = new ArrayList<>();
        sessions.listEvents(request).iterateAll().forEach(events::add);
        return events;
    }

    private static Session session(String user) {
        return Session.newBuilder().setUserId(user).build();
    }

    /** Event number `number`, a second after the one before it, with a bit of everything. */
    private static SessionEvent event(int number) {
        String call = "call-" + number;
        return SessionEvent.newBuilder()
                .setAuthor("assistant")
                .setInvocationId("turn-" + number / 2)
                .setTimestamp(Timestamp.newBuilder().setSeconds(START + number).setNanos(250_000_000))
                .setContent(Content.newBuilder()
                        .setRole("model")
                        .addParts(Part.newBuilder().setText("message " + number + " – ünïcode 🙂"))
                        .addParts(Part.newBuilder()
                                .setInlineData(Blob.newBuilder()
                                        .setMimeType("image/png")
                                        .setData(ByteString.copyFrom(new byte[] {0, -1, -2, 62, 63}))))
                        .addParts(Part.newBuilder()
                                .setFileData(FileData.newBuilder()
                                        .setMimeType("text/plain")
                                        .setFileUri("gs://bucket/file.txt")))
                        .addParts(Part.newBuilder()
                                .setFunctionCall(FunctionCall.newBuilder()
                                        .setName("book")
                                        .setArgs(struct("{'city': 'Rome', 'nights': 2.5}"))))
                        .addParts(Part.newBuilder()
                                .setFunctionResponse(FunctionResponse.newBuilder()
                                        .setName("book")
                                        .setResponse(struct("{'booked': true}")))))
                .setActions(EventActions.newBuilder()
                        .setStateDelta(struct(("{'count': %d, 'app:events': %d, 'user:latest': 'turn-%d',"
                                        + " 'temp:scratch': %d, 'none': null, 'deep': {'list': [%d, 'two', false]}}")
                                .formatted(number, number, number / 2, number, number)))
                        .putArtifactDelta("report.pdf", number)
                        .setTransferAgent("helper")
                        .setEscalate(true)
                        .setSkipSummarization(true)
                        .setRequestedAuthConfigs(struct("{'%s': {'scheme': 'oauth'}}".formatted(call))))
                .setEventMetadata(EventMetadata.newBuilder()
                        .setTurnComplete(number % 2 == 1)
                        .setBranch("main")
                        .addLongRunningToolIds(call)
                        .setCustomMetadata(struct("{'note': 'kept'}"))
                        .setInputTranscription(Transcription.newBuilder().setText("spoken").setFinished(true)))
                .setErrorCode("MAX_TOKENS")
                .setErrorMessage("too long")
                .setRawEvent(struct("{'id': 'own-%d', 'number': %d}".formatted(number, number)))
                .build();
    }

    /** Reads JSON, which may have its strings in single quotes. */
    private static Struct struct(String json) {
        Struct.Builder struct = Struct.newBuilder();
        try {
            JsonFormat.parser().merge(json, struct);
        } catch (InvalidProtocolBufferException error) {
            throw new IllegalArgumentException(json, error);
        }
        return struct.build();
    }

    private static FieldMask mask(String path) {
        return FieldMask.newBuilder().addPaths(path).build();
    }

    /** The exception with which a call is refused; a future wraps it. */
    private static <T extends ApiException> T refusal(Class<T> type, Executable call) {
        Exception thrown = assertThrows(Exception.class, call);
        return type.cast(thrown instanceof ExecutionException ? thrown.getCause() : thrown);
    }

    /** The server's own words: the client puts others before them. */
    private static String text(ApiException refused) {
        return ((StatusRuntimeException) refused.getCause()).getStatus().getDescription();
    }
}
