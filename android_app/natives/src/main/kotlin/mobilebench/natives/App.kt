package mobilebench.natives

import java.io.File
import java.io.IOException
import mobilebench.core.documents.RECORD_FILE
import mobilebench.core.documents.Refused
import mobilebench.core.documents.deviceKey
import mobilebench.core.documents.readJobFolder
import mobilebench.core.jobs.JobState
import mobilebench.core.jobs.aftermath
import mobilebench.core.jobs.beginRun
import mobilebench.core.jobs.endRun
import mobilebench.core.jobs.jobFolder
import mobilebench.core.jobs.jobIn
import mobilebench.core.jobs.keyFits
import mobilebench.core.jobs.unfinishedSince
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.Provenance
import mobilebench.core.journal.readJournal
import mobilebench.core.json.DocumentRefused
import mobilebench.core.running.JobRun
import mobilebench.core.running.Runtime
import mobilebench.core.running.writeRecord
import mobilebench.core.sensors.exitOf
import mobilebench.executorch.ExecuTorch
import mobilebench.onnxruntime.OnnxRuntime
import mobilebench.tflite.LiteRt

/**
 * Does for a scripted phone what the app does when an intent names a job.
 *
 * The arguments are the name of the job, its key, and the number by which the system noted how the
 * process before ended. The properties `mobilebench.jobs`, `mobilebench.files` and
 * `mobilebench.phone` name the folder of jobs, that of the app, and the file with what the phone
 * says. It prints what the app would write into the system's log.
 */
fun main(arguments: Array<String>) {
    val (name, key, exit) = arguments
    val app = App(place("jobs"), place("files"), ScriptedPhone(place("phone")))
    println(app.answer(name, key, exit.toIntOrNull()))
}

private fun place(name: String): File = File(
    checkNotNull(System.getProperty("mobilebench.$name")) {
        "-Dmobilebench.$name names no file; start this with it"
    },
)

/** The app without its screens: the activities are Android's alone, and what they call is here. */
private class App(
    private val jobs: File,
    private val files: File,
    private val phone: ScriptedPhone,
) {
    private val provenance get() = Provenance(phone.application.version, "app")
    private val signer get() = deviceKey(File(files, "key"))

    /** Start a job where the key fits; return how it ended, as the app's log has it. */
    fun answer(name: String, key: String, exit: Int?): String {
        settle(exit)
        val folder = jobFolder(jobs, name) ?: return "$name: there is no such job"
        if (!keyFits(folder, key)) return "$name: the key does not fit"
        val entry = jobIn(folder)
        val runnable = entry.state == JobState.READY || entry.state == JobState.CUT_OFF
        if (!runnable) return "$name: ${entry.problem ?: "it is done"}"
        return try {
            beginRun(folder)
            "$name: ${run(folder)}".also { endRun(folder) }
        } catch (error: IOException) {
            "$name: nothing can be written into its folder: ${error.message}"
        }
    }

    /** Settle runs whose process is gone, as the app does before it shows anything. */
    private fun settle(exit: Int?) = jobs.listFiles().orEmpty().forEach { folder ->
        if (unfinishedSince(folder) == null || File(folder, RECORD_FILE).isFile) return@forEach
        try {
            aftermath(folder, exitOf(exit), null, provenance, signer)
        } catch (error: DocumentRefused) {
            println("${folder.name}: ${error.message}")
        } catch (error: JournalFailed) {
            println("${folder.name}: ${error.message}")
        }
    }

    private fun run(folder: File): String = try {
        val given = readJobFolder(folder)
        val failure = JobRun(given, runtimeOf(given.job.runtime), phone.place()).run()
        if (readJournal(given.journalFile.readBytes(), given.document.sha256).ended) {
            writeRecord(given, provenance, signer)
        }
        failure?.let { "${it.error}: ${it.message}" } ?: "done"
    } catch (error: Refused) {
        "$error"
    } catch (error: DocumentRefused) {
        "$error"
    } catch (error: JournalFailed) {
        "$error"
    } catch (error: IOException) {
        "$error"
    } catch (error: LinkageError) {
        "$error"
    }

    private fun runtimeOf(name: String): Runtime = when (name) {
        "onnxruntime" -> OnnxRuntime(androidApi = null, profiles = files)
        "litert" -> LiteRt(androidApi = null)
        "executorch" -> ExecuTorch("of react-native-executorch 0.9.3", androidApi = null)
        else -> throw Refused("this app has onnxruntime, litert and executorch, and not $name")
    }
}
