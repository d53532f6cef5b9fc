import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import org.junit.jupiter.api.function.Executable;

/**
 * The server under test, and what the tests say about the libraries that they drive it with. It is public for the
 * classes that the tests load themselves.
 */
public final class Target {
    static final String PROJECT = "my-project";
    static final String LOCATION = "us-central1";
    public static final String PARENT = "projects/" + PROJECT + "/locations/" + LOCATION;

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();

    private Target() {}

    /** Where the server listens, for REST and gRPC alike. */
    public static String url() {
        String url = System.getenv("COLLOQUY_URL");
        if (url == null) {
            throw new IllegalStateException("set COLLOQUY_URL to the server's address, or run `cargo xtask clients`");
        }
        return url;
    }

    /** Adds the version of a library, as its own jar states it, to the report that COLLOQUY_REPORT names. */
    static void report(String group, String artifact) throws IOException {
        String path = "/META-INF/maven/" + group + "/" + artifact + "/pom.properties";
        Properties properties = new Properties();
        try (InputStream in = Target.class.getResourceAsStream(path)) {
            properties.load(in);
        }
        String report = System.getenv("COLLOQUY_REPORT");
        if (report != null) {
            String line = artifact + " " + properties.getProperty("version") + "\n";
            Files.writeString(Path.of(report), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    /** One plain REST call on v1beta1, for what a client has no method for, or does not show. */
    static JsonNode call(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + "/v1beta1/" + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .header("Content-Type", "application/json")
                .build();
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** The full name of a fresh engine. */
    static String makeEngine() throws IOException, InterruptedException {
        String operation = call("POST", PARENT + "/reasoningEngines", "{\"displayName\": \"java\"}")
                .get("name")
                .asText();
        return operation.substring(0, operation.indexOf("/operations/"));
    }

    /** What a program prints. */
    static String printed(Executable program) throws Throwable {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            program.execute();
        } finally {
            System.setOut(before);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
