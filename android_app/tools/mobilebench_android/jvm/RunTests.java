import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.Result;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/** Runs JUnit tests and writes one JSON line per test: file of results, then names of classes. */
final class RunTests extends RunListener {
    private final Writer out;
    private String status;
    private String detail;
    private long started;

    private RunTests(Writer out) {
        this.out = out;
    }

    public static void main(String[] args) throws Exception {
        List<Class<?>> classes = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            classes.add(Class.forName(args[i]));
        }
        Result result;
        try (Writer out = Files.newBufferedWriter(Paths.get(args[0]), StandardCharsets.UTF_8)) {
            JUnitCore core = new JUnitCore();
            core.addListener(new RunTests(out));
            result = core.run(classes.toArray(new Class<?>[0]));
        }
        System.out.println(
                (result.getRunCount() - result.getFailureCount()) + " passed, "
                        + result.getFailureCount() + " failed");
        // A test that left threads behind must not keep this process.
        System.exit(0);
    }

    @Override
    public void testStarted(Description description) {
        status = "passed";
        detail = "";
        started = System.nanoTime();
    }

    @Override
    public void testFailure(Failure failure) throws Exception {
        boolean whole = !failure.getDescription().isTest();
        status = "failed";
        detail = failure.getTrace();
        if (whole) { // a class that could not even be set up
            started = System.nanoTime();
            testFinished(failure.getDescription());
        }
    }

    @Override
    public void testAssumptionFailure(Failure failure) {
        status = "skipped";
        detail = String.valueOf(failure.getMessage());
    }

    @Override
    public void testIgnored(Description description) throws Exception {
        testStarted(description);
        status = "skipped";
        detail = "it is marked @Ignore";
        testFinished(description);
    }

    @Override
    public void testFinished(Description description) throws Exception {
        out.write("{\"class\": " + quoted(description.getClassName())
                + ", \"name\": " + quoted(String.valueOf(description.getMethodName()))
                + ", \"status\": " + quoted(status)
                + ", \"ns\": " + (System.nanoTime() - started)
                + ", \"detail\": " + quoted(detail) + "}\n");
        out.flush();
    }

    private static String quoted(String text) {
        StringWriter quoted = new StringWriter();
        PrintWriter writer = new PrintWriter(quoted);
        writer.print('"');
        for (char each : text.toCharArray()) {
            if (each < ' ' || each == '"' || each == '\\' || each > '~') {
                writer.printf("\\u%04x", (int) each);
            } else {
                writer.print(each);
            }
        }
        writer.print('"');
        return quoted.toString();
    }
}
