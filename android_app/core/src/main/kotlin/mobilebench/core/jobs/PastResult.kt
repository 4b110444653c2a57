package mobilebench.core.jobs

import java.io.File
import java.io.IOException
import mobilebench.core.documents.DocumentKind
import mobilebench.core.documents.Format
import mobilebench.core.documents.Job
import mobilebench.core.documents.Outcome
import mobilebench.core.documents.RECORD_FILE
import mobilebench.core.documents.list
import mobilebench.core.documents.part
import mobilebench.core.documents.partOrNull
import mobilebench.core.documents.readFailure
import mobilebench.core.documents.readJob
import mobilebench.core.documents.readMeasurement
import mobilebench.core.documents.refusing
import mobilebench.core.documents.text
import mobilebench.core.documents.word
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson

/** What the app shows of a record. */
class PastResult(
    /** Name of the job's folder. */
    val name: String,
    /** UTC. */
    val created: String,
    val model: String,
    val format: Format,
    val precision: String,
    val device: String,
    val os: String,
    /** Null where the export had failed already. */
    val job: Job?,
    val outcome: Outcome,
    val valid: Boolean,
    /** Diagnoses as the record has them, the most serious first. */
    val reasons: List<String>,
)

/** One entry of the history: a result, or what is wrong with its record. */
class HistoryEntry(val name: String, val result: PastResult?, val problem: String? = null)

private const val MOST_RECORD_BYTES = 64_000_000L

/** Return the results in the folders of jobs, the newest first, and unreadable ones at the end. */
fun historyIn(jobs: File): List<HistoryEntry> {
    val folders = jobs.listFiles { file -> File(file, RECORD_FILE).isFile }.orEmpty()
    val entries = folders.filter { !it.name.startsWith(".") }.map(::historyOf)
    return entries.sortedWith(
        compareBy<HistoryEntry> { it.result == null }
            .thenByDescending { it.result?.created }
            .thenBy { it.name },
    )
}

/** Return the result in a job's folder, or what is wrong with its record. */
fun historyOf(folder: File): HistoryEntry {
    val file = File(folder, RECORD_FILE)
    return try {
        if (file.length() > MOST_RECORD_BYTES) {
            throw DocumentRefused("$RECORD_FILE is too large to be a record.")
        }
        HistoryEntry(folder.name, readPastResult(folder.name, file.readBytes()))
    } catch (error: DocumentRefused) {
        HistoryEntry(folder.name, null, error.message)
    } catch (error: IOException) {
        HistoryEntry(folder.name, null, "$RECORD_FILE cannot be read: ${error.message}.")
    }
}

/** Read what the app shows of a record. Throws [DocumentRefused] as [DocumentKind.read] does. */
fun readPastResult(name: String, content: ByteArray): PastResult {
    val record = DocumentKind.RECORD.read(readJson(content, RECORD_FILE), RECORD_FILE)
    return refusing(RECORD_FILE) { pastResult(name, record) }
}

private fun pastResult(name: String, record: JsonObject): PastResult {
    val recipe = record.part("recipe")
    val device = record.part("device")
    val outcome = record.part("outcome")
    val failed = outcome.text("kind") == "failure"
    return PastResult(
        name = name,
        created = record.text("created"),
        model = record.part("model").text("name"),
        format = recipe.word("format"),
        precision = recipe.text("precision"),
        device = device.text("model"),
        os = "${device.text("os")} ${device.text("os_version")}",
        job = record.partOrNull("job")?.let(::readJob),
        outcome = if (failed) readFailure(outcome) else readMeasurement(outcome),
        valid = failed || outcome.text("validity") == "valid",
        reasons =
            if (failed) emptyList() else outcome.list("reasons").map { (it as JsonText).value },
    )
}
