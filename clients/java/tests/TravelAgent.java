import com.google.adk.agents.LlmAgent;
import com.google.adk.models.BaseLlm;
import com.google.adk.models.BaseLlmConnection;
import com.google.adk.models.LlmRequest;
import com.google.adk.models.LlmResponse;
import com.google.adk.tools.Annotations.Schema;
import com.google.adk.tools.FunctionTool;
import com.google.adk.tools.ToolContext;
import com.google.genai.types.Content;
import com.google.genai.types.GenerateContentResponseUsageMetadata;
import com.google.genai.types.Part;
import io.reactivex.rxjava3.core.Flowable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An agent with one tool, whose model is a script. It is public because ADK calls the tool. */
public final class TravelAgent {
    private TravelAgent() {}

    static LlmAgent make() {
        return LlmAgent.builder()
                .name("travel_agent")
                .model(new Script())
                .instruction("Book trips.")
                .tools(FunctionTool.create(TravelAgent.class, "book"))
                .build();
    }

    /** The tool: it changes what belongs to the session, the user, the app, and to this turn alone. */
    @Schema(name = "book", description = "Books a trip to a city.")
    public static Map<String, Object> book(
            @Schema(name = "city", description = "Where to.") String city,
            @Schema(name = "toolContext") ToolContext toolContext) {
        Map<String, Object> state = toolContext.state();
        int bookings = number(state.get("bookings")) + 1;
        state.put("bookings", bookings);
        state.put("user:last_city", city);
        state.put("app:total", number(state.get("app:total")) + 1);
        state.put("temp:draft", "draft " + bookings);
        return Map.of("booked", city, "number", bookings);
    }

    private static int number(Object value) {
        return value == null ? 0 : ((Number) value).intValue();
    }

    /** Asks for `book` after each message of the user, and reports after each answer of the tool. */
    private static final class Script extends BaseLlm {
        Script() {
            super("script");
        }

        @Override
        public Flowable<LlmResponse> generateContent(LlmRequest request, boolean stream) {
            List<Content> contents = request.contents();
            // How much of the conversation reaches the model: all of it must have been read back.
            int seen = (int) contents.stream().filter(Script::isMessage).count();
            Part last = lastPart(contents.get(contents.size() - 1));
            Part answer;
            if (last.functionResponse().isPresent()) {
                Object number = last.functionResponse().get().response().get().get("number");
                answer = Part.fromText("Trip %s is booked; messages so far: %d.".formatted(number, seen));
            } else {
                String[] words = last.text().orElseThrow().split(" ");
                answer = Part.fromFunctionCall("book", Map.of("city", words[words.length - 1]));
            }
            return Flowable.just(LlmResponse.builder()
                    .content(Content.builder().role("model").parts(answer).build())
                    .usageMetadata(GenerateContentResponseUsageMetadata.builder()
                            .promptTokenCount(10 * seen)
                            .candidatesTokenCount(7)
                            .totalTokenCount(10 * seen + 7)
                            .build())
                    .build());
        }

        @Override
        public BaseLlmConnection connect(LlmRequest request) {
            throw new UnsupportedOperationException("the script has no live mode");
        }

        private static boolean isMessage(Content content) {
            return content.role().equals(Optional.of("user")) && lastPart(content).text().isPresent();
        }

        private static Part lastPart(Content content) {
            List<Part> parts = content.parts().orElseThrow();
            return parts.get(parts.size() - 1);
        }
    }
}
