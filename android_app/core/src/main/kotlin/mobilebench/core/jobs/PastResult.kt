package mobilebench.core.jobs

import java.io.File
import mobilebench.core.documents.ComputeUnit
import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Format
import mobilebench.core.documents.Headline
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Stop
import mobilebench.core.documents.ThermalState
import mobilebench.core.documents.Word
import mobilebench.core.documents.wordOrNull
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonNull
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
    val asked: Asked?,
    val outcome: PastOutcome,
)

/** What the job of a record asked for. */
data class Asked(
    val runtime: String,
    val unit: ComputeUnit,
    val threads: Int,
    val protocol: String,
    val rounds: Int,
    val inferences: Int,
    val minDurationNs: Long,
    val intervalNs: Long?,
    val headline: Headline,
    val trim: Int,
    val indicative: Boolean,
    val deadlineNs: Long?,
    val chooses: Boolean,
)

sealed class PastOutcome

/** A measurement, as far as the app shows it. */
data class PastMeasurement(
    val runtimeVersion: String,
    val evidence: String,
    val samples: Samples,
    val firstLoadNs: Long,
    val peakBytes: Long,
    val states: List<DeviceState>,
    val events: List<Event>,
    /** The units whose outputs were checked, each with whether they agreed. */
    val parity: Map<String, Boolean>,
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
private const val NEWEST_SCHEMA = 2L

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
        val document = readJson(file.readBytes(), RECORD_FILE)
        HistoryEntry(folder.name, pastResult(folder.name, document), null)
    } catch (error: DocumentRefused) {
        HistoryEntry(folder.name, null, error.message)
    } catch (error: java.io.IOException) {
        HistoryEntry(folder.name, null, "$RECORD_FILE cannot be read: ${error.message}.")
    }
}

/** Read what the app shows of a record. Throws [DocumentRefused] where a field is not there. */
fun pastResult(name: String, document: Json): PastResult {
    val record = Reader(document, RECORD_FILE)
    val version = record.long("schema_version")
    if (version > NEWEST_SCHEMA) {
        throw DocumentRefused(
            "$RECORD_FILE has schema version $version, and this app reads 1 to $NEWEST_SCHEMA; " +
                "update the app.",
        )
    }
    val recipe = record.inner("recipe")
    val device = record.inner("device")
    return PastResult(
        name = name,
        created = record.text("created"),
        model = record.inner("model").text("name"),
        format = recipe.word("format"),
        precision = recipe.text("precision"),
        device = device.text("model"),
        os = "${device.text("os")} ${device.text("os_version")}",
        asked = record.innerOrNull("job")?.let(::asked),
        outcome = outcome(record.inner("outcome")),
    )
}

private fun asked(job: Reader): Asked {
    val protocol = job.inner("protocol")
    val policy = job.innerOrNull("policy")
    return Asked(
        runtime = job.text("runtime"),
        unit = job.wordOrNull("compute_unit") ?: ComputeUnit.CPU,
        threads = (job.longOrNull("threads") ?: 1).toInt(),
        protocol = protocol.text("id"),
        rounds = protocol.long("rounds").toInt(),
        inferences = protocol.long("inferences").toInt(),
        minDurationNs = protocol.long("min_duration_ns"),
        intervalNs = protocol.longOrNull("interval_ns"),
        headline = protocol.wordOrNull("headline") ?: Headline.MEDIAN,
        trim = (protocol.longOrNull("trim") ?: 0).toInt(),
        indicative = protocol.boolOrNull("indicative") ?: false,
        deadlineNs = policy?.innerOrNull("aim")?.longOrNull("deadline_ns"),
        chooses = (policy?.textOrNull("rule") ?: "fixed") != "fixed",
    )
}

private fun outcome(outcome: Reader): PastOutcome = when (val kind = outcome.text("kind")) {
    "failure" -> PastFailure(
        stage = outcome.text("stage"),
        error = outcome.text("error"),
        message = outcome.text("message"),
        advice = outcome.textOrNull("advice"),
    )
    "measurement" -> measurement(outcome)
    else -> throw DocumentRefused("$RECORD_FILE has an outcome of the kind $kind, not known here.")
}

private fun measurement(outcome: Reader): PastMeasurement {
    val runtime = outcome.inner("runtime")
    val before = state(outcome.inner("before"))
    return PastMeasurement(
        runtimeVersion = runtime.text("version"),
        evidence = runtime.text("compute_unit_evidence"),
        samples = samples(outcome.inner("samples")),
        firstLoadNs = outcome.inner("loads").long("first_ns"),
        peakBytes = outcome.inner("memory").long("peak_bytes"),
        states = listOf(before) + outcome.list("states").map(::state) +
            state(outcome.inner("after")),
        events = outcome.list("events").mapNotNull(::event),
        parity = outcome.list("parity").associate { unit ->
            unit.text("unit") to unit.list("outputs").all(::passed)
        },
        debugBuild = outcome.innerOrNull("application")?.textOrNull("build") == "debug",
        stopped = outcome.wordOrNull("stopped"),
        cutOff = outcome.boolOrNull("cut_off") ?: false,
        valid = outcome.textOrNull("validity") != "suspect",
        reasons = outcome.texts("reasons"),
    )
}

private fun passed(output: Reader): Boolean {
    val error = output.doubleOrNull("max_relative_error") ?: return false
    return error <= output.double("limit")
}

private fun state(state: Reader) = DeviceState(
    tNs = state.long("t_ns"),
    thermal = state.wordOrNull<ThermalState>("thermal"),
    temperaturesC = state.innerOrNull("temperatures_c")?.doubles(),
)

private fun event(event: Reader): Event? {
    val kind = event.wordOrNull<EventKind>("kind") ?: return null
    return Event(event.long("t_ns"), kind, note = event.textOrNull("note"))
}

private fun samples(columns: Reader): Samples {
    val tNs = columns.longs("t_ns")
    val latencyNs = columns.longs("latency_ns")
    val phases = columns.spans("phase")
    val rounds = columns.spans("round")
    val widths = columns.spans("width")
    val even = setOf(tNs.size, latencyNs.size, phases.size, rounds.size).size == 1
    if (!even || (widths.isNotEmpty() && widths.size != tNs.size)) {
        throw DocumentRefused("$RECORD_FILE has columns of samples of different length.")
    }
    val measured = JsonText(Phase.MEASURED.word)
    return Samples(
        tNs = tNs,
        latencyNs = latencyNs,
        phase = Array(tNs.size) { if (phases[it] == measured) Phase.MEASURED else Phase.WARM_UP },
        round = IntArray(tNs.size) { ((rounds[it] as? JsonInt)?.value ?: 0).toInt() },
        width = DoubleArray(widths.size) { number(widths[it]) ?: 1.0 },
    )
}

private fun number(value: Json?): Double? = when (value) {
    is JsonInt -> value.value.toDouble()
    is JsonDouble -> value.value
    else -> null
}

/** Reads the fields of one object; a field of another type is refused by its name. */
private class Reader(value: Json, private val what: String) {
    private val fields: JsonObject =
        value as? JsonObject ?: throw DocumentRefused("$what is not an object.")

    private fun wrong(name: String): DocumentRefused =
        DocumentRefused("$what has no $name that can be read.")

    private fun present(name: String): Json? = fields[name]?.takeIf { it != JsonNull }

    fun text(name: String): String = textOrNull(name) ?: throw wrong(name)

    fun textOrNull(name: String): String? =
        present(name)?.let { (it as? JsonText)?.value ?: throw wrong(name) }

    fun long(name: String): Long = longOrNull(name) ?: throw wrong(name)

    fun longOrNull(name: String): Long? =
        present(name)?.let { (it as? JsonInt)?.value ?: throw wrong(name) }

    fun double(name: String): Double = doubleOrNull(name) ?: throw wrong(name)

    fun doubleOrNull(name: String): Double? =
        present(name)?.let { number(it) ?: throw wrong(name) }

    fun boolOrNull(name: String): Boolean? =
        present(name)?.let { (it as? JsonBool)?.value ?: throw wrong(name) }

    fun inner(name: String): Reader = innerOrNull(name) ?: throw wrong(name)

    fun innerOrNull(name: String): Reader? = present(name)?.let { Reader(it, "$what: $name") }

    fun list(name: String): List<Reader> = entries(name).map { Reader(it, "$what: $name") }

    fun texts(name: String): List<String> =
        entries(name).map { (it as? JsonText)?.value ?: throw wrong(name) }

    fun longs(name: String): LongArray {
        val entries = entries(name)
        return LongArray(entries.size) { (entries[it] as? JsonInt)?.value ?: throw wrong(name) }
    }

    fun doubles(): Map<String, Double> =
        fields.fields.mapNotNull { (name, value) -> number(value)?.let { name to it } }.toMap()

    /** Return a column that is written as spans. */
    fun spans(name: String): List<Json> {
        val column = ArrayList<Json>()
        for (span in list(name)) {
            val count = span.long("count")
            if (count !in 1..MOST_SAMPLES || column.size + count > MOST_SAMPLES) throw wrong(name)
            val value = span.present("value") ?: throw wrong(name)
            repeat(count.toInt()) { column.add(value) }
        }
        return column
    }

    inline fun <reified T> word(name: String): T where T : Enum<T>, T : Word =
        wordOrNull<T>(name) ?: throw wrong(name)

    inline fun <reified T> wordOrNull(name: String): T? where T : Enum<T>, T : Word {
        val text = textOrNull(name) ?: return null
        return mobilebench.core.documents.wordOrNull<T>(text)
    }

    private fun entries(name: String): List<Json> =
        present(name)?.let { (it as? JsonList)?.values ?: throw wrong(name) }.orEmpty()

    private companion object {
        const val MOST_SAMPLES = 10_000_000
    }
}
