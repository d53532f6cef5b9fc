import com.google.adk.agents.LlmAgent;
import com.google.adk.models.Gemini;
import com.google.adk.models.LlmResponse;
import com.google.adk.runner.Runner;
import com.google.adk.sessions.VertexAiSessionService;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.genai.types.Content;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.Part;
import java.util.Optional;

/** An agent that remembers. The argument is an engine: projects/P/locations/L/reasoningEngines/E. */
public final class AdkAgent {
    public static void main(String[] arguments) {
        String engine = arguments[0];
        var sessions = new VertexAiSessionService(
                "my-project",
                "us-central1",
                GoogleCredentials.create(new AccessToken("local", null)),
                HttpOptions.builder().baseUrl(System.getenv("COLLOQUY_URL")).build());
        // The callback answers in the model's place; leave it out to ask the model.
        var agent = LlmAgent.builder()
                .name("parrot")
                .model(new Gemini("gemini-2.5-flash", "your-api-key"))
                .beforeModelCallbackSync((context, request) -> Optional.of(LlmResponse.builder()
                        .content(request.build().contents().get(0))
                        .build()))
                .build();
        var runner = Runner.builder().appName(engine).agent(agent).sessionService(sessions).build();

        var session = sessions.createSession(engine, "alice").blockingGet();
        runner.runAsync("alice", session.id(), Content.fromParts(Part.fromText("Hello!")))
                .blockingForEach(event -> System.out.println(event.author() + ": " + event.stringifyContent()));
    }
}
