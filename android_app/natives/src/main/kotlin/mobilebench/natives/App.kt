package mobilebench.natives

import java.io.File
import java.io.IOException
import mobilebench.core.documents.Refused
import mobilebench.core.documents.deviceKey
import mobilebench.core.documents.readJobFolder
import mobilebench.core.jobs.JobState
import mobilebench.core.jobs.NoRecord
import mobilebench.core.jobs.Why
import mobilebench.core.jobs.aftermath
import mobilebench.core.jobs.beginRun
import mobilebench.core.jobs.endRun
import mobilebench.core.jobs.jobFolder
import mobilebench.core.jobs.jobIn
import mobilebench.core.jobs.keyFits
import mobilebench.core.jobs.unfinishedSince
import mobilebench.core.journal.JournalFailed
import mobilebench.core.journal.Provenance
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
    app.answer(name, key, exit.toIntOrNull())
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

    /** Start a job where the key fits; tell the system's log how it ended. */
    fun answer(name: String, key: String, exit: Int?) {
        jobs.listFiles().orEmpty().forEach { settle(it, exit) }
        val folder = jobFolder(jobs, name) ?: return log(name, "There is no such job.")
        if (!keyFits(folder, key)) return log(name, "The key does not fit.")
        val entry = jobIn(folder)
        val problem = entry.problem
        val runnable = entry.state == JobState.READY || entry.state == JobState.CUT_OFF
        if (problem != null) end(folder, NoRecord(Why.REFUSED, problem))
        if (!runnable) return
        try {
            beginRun(folder)
        } catch (error: IOException) {
            return log(name, "Nothing can be written into the folder of the job: $error.")
        }
        measure(folder)
    }

    /** Settle a run whose process is gone, as the app does before it shows anything. */
    private fun settle(folder: File, exit: Int?) {
        if (unfinishedSince(folder) == null) return
        try {
            aftermath(folder, exitOf(exit), null, provenance, signer)
        } catch (error: DocumentRefused) {
            log(folder.name, "$error")
        } catch (error: JournalFailed) {
            log(folder.name, "$error")
        }
    }

    private fun measure(folder: File) = try {
        val given = readJobFolder(folder)
        val failure = JobRun(given, runtimeOf(given.job.runtime), phone.place()).run()
        writeRecord(given, provenance, signer)
        end(folder, null, failure?.let { "${it.error}: ${it.message}" } ?: "done")
    } catch (error: Refused) {
        end(folder, NoRecord(Why.REFUSED, sentence(error)))
    } catch (error: DocumentRefused) {
        end(folder, NoRecord(Why.REFUSED, sentence(error)))
    } catch (error: JournalFailed) {
        end(folder, NoRecord(Why.NOT_WRITTEN, sentence(error)))
    } catch (error: IOException) {
        end(folder, NoRecord(Why.NOT_WRITTEN, sentence(error)))
    } catch (error: LinkageError) {
        end(folder, NoRecord(Why.REFUSED, sentence(error)))
    }

    private fun sentence(error: Throwable) = error.message ?: "$error"

    private fun end(folder: File, none: NoRecord?, words: String = none?.sentence.orEmpty()) {
        endRun(folder, none)
        log(folder.name, words)
    }

    /** Print a line with its time and tag, from which the phone's log is made. */
    private fun log(name: String, words: String) =
        println("${System.currentTimeMillis()} mobilebench $name: $words")

    private fun runtimeOf(name: String): Runtime = when (name) {
        "onnxruntime" -> OnnxRuntime(androidApi = null, profiles = files)
        "litert" -> LiteRt(androidApi = null)
        "executorch" -> ExecuTorch("of react-native-executorch 0.9.3", androidApi = null)
        else -> throw Refused("this app has onnxruntime, litert and executorch, and not $name")
    }
}
