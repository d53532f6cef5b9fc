import com.google.api.gax.core.NoCredentialsProvider;
import com.google.cloud.aiplatform.v1beta1.ReasoningEngine;
import com.google.cloud.aiplatform.v1beta1.ReasoningEngineServiceClient;
import com.google.cloud.aiplatform.v1beta1.ReasoningEngineServiceSettings;
import com.google.cloud.aiplatform.v1beta1.Session;
import com.google.cloud.aiplatform.v1beta1.SessionServiceClient;
import com.google.cloud.aiplatform.v1beta1.SessionServiceSettings;
import io.grpc.ManagedChannelBuilder;
import java.net.URI;

/** The generated clients, over gRPC without TLS. */
public final class AiplatformSessions {
    public static void main(String[] arguments) throws Exception {
        var transport = SessionServiceSettings.defaultGrpcTransportProviderBuilder()
                .setEndpoint(URI.create(System.getenv("COLLOQUY_URL")).getAuthority())
                .setChannelConfigurator(ManagedChannelBuilder::usePlaintext)
                .build();
        try (var engines = ReasoningEngineServiceClient.create(ReasoningEngineServiceSettings.newBuilder()
                        .setTransportChannelProvider(transport)
                        .setCredentialsProvider(NoCredentialsProvider.create())
                        .build());
                var sessions = SessionServiceClient.create(SessionServiceSettings.newBuilder()
                        .setTransportChannelProvider(transport)
                        .setCredentialsProvider(NoCredentialsProvider.create())
                        .build())) {
            var parent = "projects/my-project/locations/us-central1";
            var engine = ReasoningEngine.newBuilder().setDisplayName("demo").build();
            var name = engines.createReasoningEngineAsync(parent, engine).get().getName();

            var session = Session.newBuilder().setUserId("alice").build();
            sessions.createSessionAsync(name, session, "my-first-session").get();
            for (var listed : sessions.listSessions(name).iterateAll()) {
                System.out.println(listed.getName().replace(name, "engine") + " of " + listed.getUserId());
            }
        }
    }
}
