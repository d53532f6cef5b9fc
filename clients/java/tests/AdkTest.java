import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.adk.events.Event;
import com.google.adk.events.EventActions;
import com.google.adk.events.ToolConfirmation;
import com.google.adk.runner.Runner;
import com.google.adk.sessions.GetSessionConfig;
import com.google.adk.sessions.Session;
import com.google.adk.sessions.State;
import com.google.adk.sessions.VertexAiSessionService;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.genai.types.Content;
import com.google.genai.types.FinishReason;
import com.google.genai.types.FunctionResponse;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.Part;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ADK's `VertexAiSessionService`, as it is published. */
class AdkTest {
    private static final long START = Instant.parse("2026-03-01T12:00:00.250Z").toEpochMilli();
    private static final int TURNS = 20;
    /** A turn's events: the user's message, the call, the tool's answer, the report. */
    private static final int EVENTS_PER_TURN = 4;
    /** ADK for Java reads the first page of a list, which has 100 rows, and no further one. */
    private static final int FIRST_PAGE = 100;

    private String engine;

    @BeforeAll
    static void report() throws Exception {
        Target.report("com.google.adk", "google-adk");
    }

    @BeforeEach
    void makeEngine() throws Exception {
        engine = Target.makeEngine();
    }

    private static VertexAiSessionService service(String version) {
        return new VertexAiSessionService(
                Target.PROJECT,
                Target.LOCATION,
                GoogleCredentials.create(new AccessToken("local", null)),
                HttpOptions.builder().baseUrl(Target.url()).apiVersion(version).build());
    }

    private static VertexAiSessionService service() {
        return service("v1beta1");
    }

    private Session create(String user, Map<String, Object> state) {
        return service().createSession(engine, user, state, null).blockingGet();
    }

    private Session get(String user, String session) {
        return get(user, session, null);
    }

    private Session get(String user, String session, GetSessionConfig config) {
        return service().getSession(engine, user, session, Optional.ofNullable(config)).blockingGet();
    }

    private static Event.Builder event(int number) {
        return Event.builder()
                .id("event-" + number)
                .author("assistant")
                .invocationId("turn-" + number)
                .timestamp(START + 1000L * number)
                .content(Content.builder().role("model").parts(Part.fromText("message " + number)).build());
    }

    /** Events without their ids, which the server gives, and with false for absent flags, as this client reads them. */
    private static List<Event> comparable(List<Event> events) {
        return events.stream()
                .map(event -> event.toBuilder()
                        .id("")
                        .partial(event.partial().orElse(false))
                        .turnComplete(event.turnComplete().orElse(false))
                        .interrupted(event.interrupted().orElse(false))
                        .build())
                .toList();
    }

    private static List<String> texts(Session session) {
        return session.events().stream().map(Event::stringifyContent).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1beta1", "v1"})
    void aSessionsWholeLife(String version) {
        VertexAiSessionService service = service(version);
        Map<String, Object> state = Map.of("greeting", "hello", "app:model", "m-1", "user:lang", "de", "count", 0);
        Session first = service.createSession(engine, "alice", state, null).blockingGet();
        assertEquals(state, first.state());
        assertTrue(first.id().matches("\\d+"), first.id());
        Session second = service.createSession(engine, "alice").blockingGet();
        Session bobs = service.createSession(engine, "bob").blockingGet();
        assertEquals(Map.of("app:model", "m-1", "user:lang", "de"), second.state());
        assertEquals(Map.of("app:model", "m-1"), bobs.state());

        Event rich = event(0)
                .content(Content.builder()
                        .role("model")
                        .parts(
                                Part.fromText("ünïcode 🙂"),
                                Part.fromUri("gs://bucket/picture.png", "image/png"),
                                Part.fromFunctionCall("book", Map.of("city", "Rome", "nights", 2.5)),
                                Part.builder()
                                        .functionResponse(FunctionResponse.builder()
                                                .id("call-1")
                                                .name("book")
                                                .response(Map.of("booked", true)))
                                        .build())
                        .build())
                .actions(EventActions.builder()
                        .stateDelta(Map.of(
                                "count", 1, "app:model", "m-2", "user:lang", "fr", "temp:draft", "x",
                                "deep", Map.of("list", List.of(1, "two", false))))
                        .artifactDelta(Map.of("report.pdf", 3))
                        .transferToAgent("helper")
                        .escalate(true)
                        .skipSummarization(true)
                        .endOfAgent(true)
                        .requestedToolConfirmations(Map.of(
                                "call-1", ToolConfirmation.builder().hint("sure?").confirmed(true).build()))
                        .build())
                .errorCode(new FinishReason(FinishReason.Known.MAX_TOKENS))
                .errorMessage("too long")
                .partial(false)
                .turnComplete(true)
                .interrupted(true)
                .branch("main")
                .longRunningToolIds(Set.of("call-1"))
                .build();
        service.appendEvent(first, rich).blockingGet();

        Session kept = service.getSession(engine, "alice", first.id(), Optional.empty()).blockingGet();
        assertEquals(comparable(List.of(rich)), comparable(kept.events()));
        assertTrue(kept.events().get(0).id().matches("\\d+"), kept.events().get(0).id());
        assertEquals(
                Map.of(
                        "greeting", "hello", "count", 1, "app:model", "m-2", "user:lang", "fr",
                        "deep", Map.of("list", List.of(1, "two", false))),
                kept.state());
        assertTrue(kept.lastUpdateTime().isAfter(first.lastUpdateTime()));
        assertEquals(
                comparable(kept.events()),
                comparable(service.listEvents(engine, "alice", first.id()).blockingGet().events()));

        List<Session> listed = service.listSessions(engine, "alice").blockingGet().sessions();
        assertEquals(List.of(first.id(), second.id()), listed.stream().map(Session::id).toList());
        assertEquals(Map.of("app:model", "m-2", "user:lang", "fr"), listed.get(1).state());

        service.deleteSession(engine, "alice", first.id()).blockingAwait();
        assertNull(service.getSession(engine, "alice", first.id(), Optional.empty()).blockingGet());
        assertEquals(
                List.of(second.id()), service.listSessions(engine, "alice").blockingGet().sessionIds());
        assertEquals("fr", get("alice", second.id()).state().get("user:lang"));
    }

    @Test
    void aConversationWithToolsSurvivesInFull() {
        Runner runner = Runner.builder()
                .appName(engine)
                .agent(TravelAgent.make())
                .sessionService(service())
                .build();
        Session session = create("ann", Map.of("bookings", 0, "app:total", 0, "user:last_city", ""));
        List<Event> yielded = new ArrayList<>();
        for (int turn = 0; turn < TURNS; turn++) {
            Content message = Content.fromParts(Part.fromText("Please book city-" + turn));
            runner.runAsync("ann", session.id(), message).blockingForEach(yielded::add);
        }
        assertEquals(TURNS * (EVENTS_PER_TURN - 1), yielded.size());
        assertEquals(
                "Trip 20 is booked; messages so far: 20.",
                yielded.get(yielded.size() - 1).stringifyContent());

        Session kept = get("ann", session.id());
        assertEquals(TURNS * EVENTS_PER_TURN, kept.events().size());
        assertEquals(
                Map.of("bookings", TURNS, "app:total", TURNS, "user:last_city", "city-" + (TURNS - 1)), kept.state());
        List<Event> fromAgent =
                kept.events().stream().filter(event -> !event.author().equals("user")).toList();
        assertEquals(comparable(yielded), comparable(fromAgent));

        // Later sessions see what was kept for the app, and for this user if it is theirs.
        assertEquals(Map.of("app:total", TURNS, "user:last_city", "city-19"), create("ann", Map.of()).state());
        assertEquals(Map.of("app:total", TURNS), create("bob", Map.of()).state());
        runner.close().blockingAwait();
    }

    @Test
    void oneReadReachesTheOldestHundred() {
        Session session = create("ann", Map.of());
        int events = FIRST_PAGE + 20;
        for (int number = 0; number < events; number++) {
            service().appendEvent(session, event(number).build()).blockingGet();
        }
        List<String> all = IntStream.range(0, events).mapToObj(number -> "message " + number).toList();
        assertEquals(all.subList(0, FIRST_PAGE), texts(get("ann", session.id())));

        // A filter by time is the server's work, so this is the way to what is newer.
        Instant late = Instant.ofEpochMilli(START + 1000L * 115);
        GetSessionConfig.Builder after = GetSessionConfig.builder().afterTimestamp(late);
        assertEquals(all.subList(115, events), texts(get("ann", session.id(), after.build())));
        assertEquals(all.subList(118, events), texts(get("ann", session.id(), after.numRecentEvents(2).build())));
        // The client itself picks the most recent ones, of the page that it read.
        GetSessionConfig recent = GetSessionConfig.builder().numRecentEvents(3).build();
        assertEquals(all.subList(97, FIRST_PAGE), texts(get("ann", session.id(), recent)));
    }

    @Test
    void oneListReachesTheNewestHundred() {
        List<String> made = IntStream.rangeClosed(0, FIRST_PAGE)
                .mapToObj(number -> create("ann", Map.of()).id())
                .toList();
        List<String> listed = service().listSessions(engine, "ann").blockingGet().sessionIds();
        assertEquals(FIRST_PAGE, listed.size());
        assertEquals(Set.copyOf(made.subList(1, made.size())), Set.copyOf(listed));
    }

    @Test
    void usersWithAwkwardNamesFindTheirOwnSessions() {
        for (String user : List.of("quote\"quote", "back\\slash", "ünï cödé 🙂", "a OR b", "*", "a&b=c+d%20")) {
            Session made = create(user, Map.of());
            List<Session> listed = service().listSessions(engine, user).blockingGet().sessions();
            assertEquals(List.of(made.id()), listed.stream().map(Session::id).toList(), user);
            assertEquals(user, listed.get(0).userId());
        }
    }

    @Test
    void sessionsThatDoNotExistAndThoseOfOthers() {
        assertNull(get("ann", "never-made"));
        Session session = create("ann", Map.of());
        assertNull(get("bob", session.id()));
        assertThrows(
                SecurityException.class,
                () -> service().deleteSession(engine, "bob", session.id()).blockingAwait());
        assertEquals(session.id(), get("ann", session.id()).id());
        assertThrows(IllegalArgumentException.class, () -> get("ann", "../" + session.id()));
        assertEquals(List.of(), service().listSessions(engine, "nobody").blockingGet().sessions());
        // Without an engine there is no session, and no better word for it.
        assertThrows(
                NullPointerException.class, () -> service().createSession("1", "ann").blockingGet());
    }

    /** What is refused is lost without a word: this client does not look at the status of an append. */
    @Test
    void aRefusedAppendIsNotReported() {
        Session session = create("ann", Map.of());
        Event incomplete = event(0).invocationId("").build();
        assertEquals(incomplete, service().appendEvent(session, incomplete).blockingGet());
        assertEquals(List.of(), get("ann", session.id()).events());
    }

    /** A removed key becomes null on the server, and a session with a null is one that this client cannot read. */
    @Test
    void aRemovedKeyMakesTheSessionUnreadable() throws Exception {
        Session session = create("ann", Map.of("kept", 1, "removed", 2));
        Event removal = event(0)
                .actions(EventActions.builder().stateDelta(Map.of("removed", State.REMOVED)).build())
                .build();
        service().appendEvent(session, removal).blockingGet();
        JsonNode state = Target.call("GET", engine + "/sessions/" + session.id(), "").get("sessionState");
        assertTrue(state.get("removed").isNull(), state.toString());
        assertEquals(1, state.get("kept").asInt());
        Exception failed = assertThrows(RuntimeException.class, () -> get("ann", session.id()));
        assertTrue(failed.toString().contains("NullPointerException"), failed.toString());
    }

    /** The client encodes bytes twice and drops their type; it is alone in understanding that. */
    @Test
    void bytesAreReadBackByThisClientOnly() throws Exception {
        Session session = create("ann", Map.of());
        byte[] bytes = {0, 1, -1, -2, 62, 63};
        Event picture = event(0).content(Content.fromParts(Part.fromBytes(bytes, "image/png"))).build();
        service().appendEvent(session, picture).blockingGet();
        Part read = get("ann", session.id()).events().get(0).content().get().parts().get().get(0);
        assertEquals(List.of(0, 1, -1, -2, 62, 63), asList(read.inlineData().get().data().get()));
        assertFalse(read.inlineData().get().mimeType().isPresent());
        JsonNode stored = Target.call("GET", engine + "/sessions/" + session.id() + "/events", "")
                .at("/sessionEvents/0/content/parts/0/inlineData");
        assertEquals(List.of(65, 65, 72, 47, 47, 106, 52, 47), asList(stored.get("data").binaryValue()));

        // Nor can it read what others write as it should be.
        Session others = create("ann", Map.of());
        Target.call("POST", engine + "/sessions/" + others.id() + ":appendEvent", """
                {"author": "ann", "invocationId": "turn-1", "timestamp": "2026-03-01T12:00:00Z",
                 "content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAH//j4/"}}]}}
                """);
        assertThrows(IllegalArgumentException.class, () -> get("ann", others.id()));
    }

    private static List<Integer> asList(byte[] bytes) {
        return IntStream.range(0, bytes.length).mapToObj(index -> (int) bytes[index]).toList();
    }

    @Test
    void snippets() throws Throwable {
        String[] arguments = {engine};
        assertEquals("Hello! 2\n", Target.printed(() -> AdkSessions.main(arguments)));
        assertEquals("parrot: Hello!\n", Target.printed(() -> AdkAgent.main(arguments)));
        // The first deletes its session; the second's stays, with both sides of the talk.
        String session = service().listSessions(engine, "alice").blockingGet().sessionIds().get(0);
        assertEquals(List.of("Hello!", "Hello!"), texts(get("alice", session)));
    }
}
