import com.google.adk.events.Event;
import com.google.adk.events.EventActions;
import com.google.adk.sessions.VertexAiSessionService;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.genai.types.Content;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.Part;
import java.util.Map;
import java.util.Optional;

/** ADK's session service. The argument is an engine: projects/P/locations/L/reasoningEngines/E. */
public final class AdkSessions {
    public static void main(String[] arguments) {
        String engine = arguments[0];
        var sessions = new VertexAiSessionService(
                "my-project",
                "us-central1",
                GoogleCredentials.create(new AccessToken("local", null)),
                HttpOptions.builder().baseUrl(System.getenv("COLLOQUY_URL")).build());

        var session = sessions.createSession(engine, "alice", Map.of("visits", 1), null).blockingGet();
        var event = Event.builder()
                .author("alice")
                .invocationId("turn-1")
                .content(Content.builder().role("user").parts(Part.fromText("Hello!")).build())
                .actions(EventActions.builder().stateDelta(Map.of("visits", 2)).build())
                .build();
        sessions.appendEvent(session, event).blockingGet();

        var kept = sessions.getSession(engine, "alice", session.id(), Optional.empty()).blockingGet();
        System.out.println(kept.events().get(0).stringifyContent() + " " + kept.state().get("visits"));
        sessions.deleteSession(engine, "alice", session.id()).blockingAwait();
    }
}
