import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The clients of google-cloud-aiplatform, which speak gRPC only, in both versions. */
class AiplatformGrpcTest {
    private static final Path LIFE = Path.of("tests", "LifeInV1beta1.java");
    private static final Path SNIPPET = Path.of("snippets", "AiplatformSessions.java");
    private static final String SNIPPET_PRINTS = "engine/sessions/my-first-session of alice\n";

    @TempDir
    static Path compiled;

    @BeforeAll
    static void report() throws Exception {
        Target.report("com.google.cloud", "google-cloud-aiplatform");
    }

    @TestFactory
    Stream<DynamicNode> v1beta1() {
        return tests(LifeInV1beta1.class, AiplatformSessions.class);
    }

    @TestFactory
    Stream<DynamicNode> v1() throws Exception {
        // The snippet's class would hide behind the one of its other version, were its name not changed.
        List<Source> sources = List.of(
                new Source("LifeInV1", inV1(LIFE)),
                new Source("SnippetInV1", inV1(SNIPPET).replace("AiplatformSessions", "SnippetInV1")));
        compile(sources);
        URL[] path = {compiled.toUri().toURL()};
        ClassLoader loader = new URLClassLoader(path, getClass().getClassLoader());
        return tests(loader.loadClass("LifeInV1"), loader.loadClass("SnippetInV1"));
    }

    private static String inV1(Path source) throws Exception {
        return Files.readString(source).replace("v1beta1", "v1").replace("V1beta1", "V1");
    }

    private static void compile(List<Source> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> options = List.of(
                "-proc:none", "-d", compiled.toString(), "-classpath", System.getProperty("java.class.path"));
        assertEquals(true, compiler.getTask(null, null, null, options, null, sources).call());
    }

    /** One test per public method of the life, and one for the snippet. */
    private static Stream<DynamicNode> tests(Class<?> life, Class<?> snippet) {
        Stream<DynamicNode> methods = Arrays.stream(life.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.getName().equals("close"))
                .sorted(Comparator.comparing(Method::getName))
                .map(method -> DynamicTest.dynamicTest(method.getName(), () -> {
                    try (AutoCloseable clients = (AutoCloseable) life.getConstructor().newInstance()) {
                        call(method, clients);
                    }
                }));
        DynamicNode shown = DynamicTest.dynamicTest("snippet", () -> {
            Method main = snippet.getMethod("main", String[].class);
            assertEquals(SNIPPET_PRINTS, Target.printed(() -> call(main, null, (Object) new String[0])));
        });
        return Stream.concat(methods, Stream.of(shown));
    }

    /** Calls a method, and throws what it throws. */
    private static void call(Method method, Object target, Object... arguments) throws Exception {
        try {
            method.invoke(target, arguments);
        } catch (InvocationTargetException wrapped) {
            if (wrapped.getCause() instanceof Exception exception) {
                throw exception;
            }
            throw (Error) wrapped.getCause();
        }
    }

    /** A source file that exists in memory only. */
    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String text) {
            super(URI.create("string:///" + name + ".java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
