package mobilebench.app

import android.content.Context
import java.io.File
import mobilebench.core.jobs.Aftermath
import mobilebench.core.jobs.aftermath
import mobilebench.core.jobs.unfinishedSince
import mobilebench.core.journal.JournalFailed
import mobilebench.core.json.DocumentRefused
import mobilebench.core.screens.Text
import mobilebench.core.screens.TextKey

/** Whether a run is under way. */
fun isRunning(context: Context, jobs: File): Boolean =
    jobs.listFiles().orEmpty().any { unfinishedSince(it) != null } && isRunnerAlive(context)

/** Settle runs whose process is gone; return what to tell of the last one. May take seconds. */
fun settle(context: Context, jobs: File): Text? {
    if (isRunnerAlive(context)) return null
    return jobs.listFiles().orEmpty().mapNotNull { folder ->
        val sinceMs = unfinishedSince(folder) ?: return@mapNotNull null
        settled(context, folder, exitOfRunner(context, sinceMs))?.let {
            Text.of(TextKey.NOTICE_UNFINISHED, folder.name, it.failure.message)
        }
    }.lastOrNull()
}

private fun settled(context: Context, folder: File, noted: NotedExit): Aftermath? = try {
    val provenance = provenanceOf(context)
    aftermath(folder, noted.exit, noted.description, provenance, signerOf(context))
} catch (_: DocumentRefused) {
    // The list of jobs says what is wrong with it.
    null
} catch (_: JournalFailed) {
    null
}
