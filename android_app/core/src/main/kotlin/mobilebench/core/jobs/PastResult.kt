package mobilebench.core.jobs

import java.io.File
import java.io.IOException
import mobilebench.core.documents.Build
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.DocumentKind
import mobilebench.core.documents.Event
import mobilebench.core.documents.Format
import mobilebench.core.documents.Job
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Stop
import mobilebench.core.documents.asNumber
import mobilebench.core.documents.flag
import mobilebench.core.documents.list
import mobilebench.core.documents.maybeWord
import mobilebench.core.documents.numberOrNull
import mobilebench.core.documents.number
import mobilebench.core.documents.part
import mobilebench.core.documents.partOrNull
import mobilebench.core.documents.parts
import mobilebench.core.documents.readJob
import mobilebench.core.documents.refusing
import mobilebench.core.documents.text
import mobilebench.core.documents.textOrNull
import mobilebench.core.documents.whole
import mobilebench.core.documents.wholes
import mobilebench.core.documents.word
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.readJson

/** What the app shows of a record. */
data class PastResult(
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
    val outcome: PastOutcome,
)

sealed class PastOutcome

/** A measurement, as far as the app shows it. */
data class PastMeasurement(
    val runtimeVersion: String,
    val evidence: String,
    val samples: Samples,
    val firstLoadNs: Long,
    val peakBytes: Long,
    /** Before, during and after it. */
    val states: List<DeviceState>,
    val events: List<Event>,
    /** The units whose outputs were checked, each with whether they agreed. */
    val parity: Map<ComputeUnit, Boolean>,
    val debugBuild: Boolean,
    val stopped: Stop?,
    val cutOff: Boolean,
    val valid: Boolean,
    /** Diagnoses as the record has them, the most serious first. */
    val reasons: List<String>,
) : PastOutcome()

/** Why a job has no measurement. */
data class PastFailure(
    val stage: String,
    val error: String,
    val message: String,
    val advice: String?,
) : PastOutcome()

/** One entry of the history: a result, or what is wrong with its record. */
data class HistoryEntry(val name: String, val result: PastResult?, val problem: String?)

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
        HistoryEntry(folder.name, readPastResult(folder.name, file.readBytes()), null)
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
    return PastResult(
        name = name,
        created = record.text("created"),
        model = record.part("model").text("name"),
        format = recipe.word("format"),
        precision = recipe.text("precision"),
        device = device.text("model"),
        os = "${device.text("os")} ${device.text("os_version")}",
        job = record.partOrNull("job")?.let(::readJob),
        outcome = record.part("outcome").let {
            if (it.text("kind") == "failure") failure(it) else measurement(it)
        },
    )
}

private fun failure(outcome: JsonObject) = PastFailure(
    stage = outcome.text("stage"),
    error = outcome.text("error"),
    message = outcome.text("message"),
    advice = outcome.textOrNull("advice"),
)

private fun measurement(outcome: JsonObject): PastMeasurement {
    val runtime = outcome.part("runtime")
    val ends = listOf("before", "after").map { state(outcome.part(it)) }
    return PastMeasurement(
        runtimeVersion = runtime.text("version"),
        evidence = runtime.text("compute_unit_evidence"),
        samples = samples(outcome.part("samples")),
        firstLoadNs = outcome.part("loads").whole("first_ns"),
        peakBytes = outcome.part("memory").whole("peak_bytes"),
        states = listOf(ends[0]) + outcome.parts("states", ::state) + ends[1],
        events = outcome.parts("events") { Event(it.whole("t_ns"), it.word("kind")) },
        parity = outcome.parts("parity") { unit ->
            unit.word<ComputeUnit>("unit") to unit.parts("outputs", ::passed).all { it }
        }.toMap(),
        debugBuild = outcome.partOrNull("application")?.text("build") == Build.DEBUG.word,
        stopped = outcome.maybeWord("stopped"),
        cutOff = outcome.flag("cut_off"),
        valid = outcome.text("validity") == "valid",
        reasons = outcome.list("reasons").map { (it as JsonText).value },
    )
}

private fun passed(output: JsonObject): Boolean {
    val error = output.numberOrNull("max_relative_error") ?: return false
    return error <= output.number("limit")
}

private fun state(state: JsonObject) = DeviceState(
    tNs = state.whole("t_ns"),
    thermal = state.maybeWord("thermal"),
    temperaturesC = state.partOrNull("temperatures_c")?.fields?.mapValues { it.value.asNumber() },
)

private fun samples(columns: JsonObject): Samples {
    val tNs = columns.wholes("t_ns")
    val phases = column(columns, "phase", tNs.size) { (it["value"] as JsonText).value }
    val rounds = column(columns, "round", tNs.size) { (it["value"] as JsonInt).value.toInt() }
    val widths = column(columns, "width", tNs.size) { it.number("value") }
    return Samples(
        tNs = tNs,
        latencyNs = columns.wholes("latency_ns"),
        phase = Array(tNs.size) {
            if (phases[it] == Phase.MEASURED.word) Phase.MEASURED else Phase.WARM_UP
        },
        round = rounds.toIntArray(),
        width = widths.toDoubleArray(),
    )
}

/** Return a column that is written as spans; the schema's rules made sure that it is not longer. */
private fun <T> column(
    columns: JsonObject,
    name: String,
    most: Int,
    value: (JsonObject) -> T,
): List<T> = columns.parts(name) { it }.flatMap { span ->
    List(minOf(span.whole("count"), most.toLong()).toInt()) { value(span) }
}
