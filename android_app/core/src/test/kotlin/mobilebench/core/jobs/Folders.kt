package mobilebench.core.jobs

import java.io.File
import java.nio.file.Files

/** Make an empty folder of jobs. */
internal fun newJobs(): File = Files.createTempDirectory("jobs").toFile()

/** Every file below a folder by its path, with its content. */
internal fun File.contents(): Map<String, String> = walkTopDown().filter { it.isFile }
    .associate { it.relativeTo(this).invariantSeparatorsPath to it.readText() }

/** Return the message of what is thrown. */
internal inline fun <reified E : Exception> refusal(work: () -> Unit): String {
    try {
        work()
    } catch (error: Exception) {
        if (error is E) return error.message.orEmpty()
        throw error
    }
    throw AssertionError("nothing was refused")
}
