import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.jetbrains.kotlin.cli.common.ExitCode;
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler;

/**
 * Runs compilers one after the other in this process, which is warm after the first.
 *
 * The argument is a file: each task is a line with the compiler's name, then its arguments, one per
 * line, then an empty line. The task `done` creates the file that it names. The first task that
 * fails ends the program.
 */
final class Compile {
    private Compile() {}

    public static void main(String[] args) throws Exception {
        List<String> task = new ArrayList<>();
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            if (!line.isEmpty()) {
                task.add(line);
            } else {
                run(task.get(0), task.subList(1, task.size()).toArray(new String[0]));
                task.clear();
            }
        }
        // A compiler that left threads behind must not keep this process.
        System.exit(0);
    }

    private static void run(String compiler, String[] args) throws IOException {
        PrintStream errors = System.err;
        boolean good;
        if (compiler.equals("done")) {
            good = Files.createFile(Paths.get(args[0])) != null;
        } else if (compiler.equals("javac")) {
            good = ToolProvider.getSystemJavaCompiler().run(null, errors, errors, args) == 0;
        } else {
            good = new K2JVMCompiler().exec(errors, args) == ExitCode.OK;
        }
        if (!good) {
            System.exit(1);
        }
    }
}
