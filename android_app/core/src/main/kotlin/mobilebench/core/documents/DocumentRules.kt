package mobilebench.core.documents

import java.net.URI
import java.net.URISyntaxException
import java.time.DateTimeException
import java.time.Instant
import mobilebench.core.json.Json
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText
import mobilebench.core.json.LARGEST_WHOLE
import mobilebench.core.json.Mismatch
import mobilebench.core.json.Rules
import mobilebench.core.json.ecmaScript
import mobilebench.core.json.shown

/** The version of the jobs that this program reads, from 1 on. */
const val JOB_VERSION = 2
const val SUBJECT_VERSION = 1
const val JOURNAL_VERSION = 1
const val RECORD_VERSION = 2

private val VERSIONS = mapOf(
    "Job" to 1..JOB_VERSION,
    "Subject" to SUBJECT_VERSION..SUBJECT_VERSION,
    "Start" to JOURNAL_VERSION..JOURNAL_VERSION,
    "Record" to RECORD_VERSION..RECORD_VERSION,
)
private const val VERSION = "schema_version"
private val SHA256 = Regex("[0-9a-f]{64}")
private val PARAMETER = Regex("[a-z][a-z0-9_]{0,63}")
private val ID = Regex("[!-~]{1,64}")
private val UTC = Regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z")

/**
 * The rules of jobs, journals and records that their schemas cannot say.
 *
 * What a record says of its model, recipe and artifact is passed on and has no rules here.
 */
internal object DocumentRules : Rules {
    private val checks: Map<String, (JsonObject) -> Unit> = mapOf(
        "TensorSpec" to ::checkTensor,
        "Variant" to { requireFile(it, "model") },
        "ParityCheck" to ::checkParityCheck,
        "Reporting" to { requireInside(it.text("journal_file")) },
        "Policy" to ::checkPolicy,
        "Job" to ::checkJob,
        "DeviceState" to ::checkState,
        "Event" to ::checkEvent,
        "UnitTiming" to { need(it.number("p50_ns") > 0, "p50_ns is not larger than 0") },
        "Power" to ::checkPower,
        "Start" to { requireUtc(it.text("created")) },
        "Line" to ::checkLine,
        "Samples" to ::checkSamples,
        "Measurement" to ::checkMeasurement,
        "Record" to ::checkRecord,
    )

    override fun inThisVersion(name: String, fields: JsonObject): JsonObject {
        val known = VERSIONS[name] ?: return fields
        val version = (fields[VERSION] as? JsonInt)?.value
            ?: throw Mismatch("there is no $VERSION, so it is not a mobilebench $name")
        if (version > known.last) {
            throw Mismatch(
                "it has schema version $version, newer than the ${known.last} that this app " +
                    "reads; update the app"
            )
        }
        need(version >= known.first, "it has schema version $version; this app reads ${known.last}")
        return JsonObject(fields.fields + (VERSION to JsonInt(known.last.toLong())))
    }

    override fun check(name: String, read: JsonObject) {
        checks[name]?.invoke(read)
        requireRanges(name, read)
    }
}

/** Throw a [Mismatch] with that clause where a condition does not hold. */
internal fun need(condition: Boolean, clause: String) {
    if (!condition) throw Mismatch(clause)
}

private fun checkTensor(tensor: JsonObject) {
    val name = tensor.text("name")
    val sizes = tensor.wholes("shape").toList()
    need(sizes.all { it >= 1 }, "the tensor $name has the shape $sizes; every size is 1 or more")
    var elements = 1L
    for (size in sizes) {
        elements = if (elements > Int.MAX_VALUE / size) Long.MAX_VALUE else elements * size
    }
    need(elements <= Int.MAX_VALUE, "the tensor $name has the shape $sizes, more than 2^31 numbers")
}

private fun requireFile(fields: JsonObject, kind: String) {
    val name = fields.text("${kind}_file")
    val sha256 = fields.text("${kind}_sha256")
    requireInside(name)
    need(
        SHA256.matches(sha256),
        "the sha256 of ${JsonText(name).shown()} is ${JsonText(sha256).shown()}, not 64 small " +
            "hexadecimal digits",
    )
}

private fun requireInside(name: String) {
    val parts = name.split("/")
    need(
        parts.none { it.isEmpty() || it == "." || it == ".." } && '\u0000' !in name,
        "the file ${JsonText(name).shown()} is not a relative path inside the folder of the job",
    )
}

private fun checkParityCheck(check: JsonObject) {
    requireFile(check, "inputs")
    requireFile(check, "expected")
    need(check.list("outputs").isNotEmpty(), "a parity check has at least one output")
    val seeds = check.list("seeds").size
    val batches = check.whole("batches")
    need(seeds == 0 || seeds.toLong() == batches, "there are $seeds seeds for $batches batches")
}

private fun checkPolicy(policy: JsonObject) {
    val parameters = policy.part("parameters").fields.keys
    for (name in parameters) {
        val shown = JsonText(name).shown()
        need(PARAMETER.matches(name), "the parameter $shown is not small letters, digits and _")
    }
    val fixed = policy.text("rule") == PolicyRule.FIXED.word
    need(!fixed || parameters.isEmpty(), "the policy fixed has no parameters, and has $parameters")
}

private fun checkJob(job: JsonObject) {
    requireFile(job, "model")
    requireVariants(job)
    requireJournal(job)
    (job["upload_url"] as? JsonText)?.let { requireUrl(it.value) }
}

/** Require a journal that is neither another file of the job nor in one that is a folder. */
private fun requireJournal(job: JsonObject) {
    val journal = job.part("reporting").text("journal_file")
    for (name in readJob(job).files.keys + listOf(JOB_FILE, SUBJECT_FILE, RECORD_FILE)) {
        val isApart = !"$journal/".startsWith("$name/") && !name.startsWith("$journal/")
        need(isApart, "journal_file is $journal, and $name has that place")
    }
}

private fun requireVariants(job: JsonObject) {
    val variants = job.list("variants").map { it as JsonObject }
    if (variants.isEmpty()) {
        val rule = job.part("policy").text("rule")
        need(rule == PolicyRule.FIXED.word, "the policy $rule has no variants to choose from")
        return
    }
    val first = variants.first()
    need(
        listOf("model_file", "model_sha256").all { first[it] == job[it] },
        "the first variant, ${first.text("name")}, is not the model file of the job",
    )
    val names = variants.map { it.text("name") }
    need(names.toSet().size == names.size, "two variants have the same name: $names")
    val widths = variants.map { it.number("width") }
    val falls = widths.zipWithNext().all { (wider, next) -> next < wider }
    need(falls, "variants are not in the order of falling width: $widths")
}

private fun requireUrl(url: String) {
    // Shown without what may be a password.
    val parts = try {
        URI(url)
    } catch (error: URISyntaxException) {
        throw Mismatch("upload_url is not an address: ${error.reason}")
    }
    need(
        parts.scheme?.lowercase() in listOf("https", "http") && parts.authority != null,
        "upload_url is not an address that begins with https://",
    )
    need(
        '@' !in parts.rawAuthority,
        "upload_url holds a name or a password, and a record would show it",
    )
}

private fun checkState(state: JsonObject) {
    val sensors = (state["temperatures_c"] as? JsonObject)?.fields ?: return
    for ((name, value) in sensors) {
        val celsius = value.asNumber()
        need(
            celsius in CELSIUS,
            "the sensor $name reads ${ecmaScript(celsius)} degrees; a temperature is from -40 to " +
                "150 degrees Celsius",
        )
    }
}

private fun checkEvent(event: JsonObject) {
    val shifted = event["from_width"] !is JsonNull && event["to_width"] !is JsonNull
    need(
        shifted == (event.text("kind") == EventKind.WIDTH_SHIFT.word),
        "a width shift, and no other event, has the widths before and after",
    )
}

private fun checkLine(line: JsonObject) {
    val samples = line["samples"] as? JsonObject ?: return
    need(samples.list("t_ns").isNotEmpty(), "the line has columns of samples without a sample")
    need(line["peak_bytes"] !is JsonNull, "the line has samples, and no peak_bytes")
}

private fun checkSamples(samples: JsonObject) {
    val width = samples.list("width")
    val spans = listOf("phase", "round").map { countedIn(samples.list(it)) } +
        (if (width.isEmpty()) emptyList() else listOf(countedIn(width)))
    val plain = listOf("t_ns", "latency_ns").map { samples.list(it).size.toLong() }
    val lengths = (plain + spans).toSet()
    need(lengths.size == 1, "sample columns differ in length: ${lengths.sorted()}")
    need(
        samples.wholes("latency_ns").all { it > 0 },
        "a latency is zero or negative: the clock is broken or too coarse",
    )
    requireOrder(samples.wholes("t_ns").asList(), "samples")
}

/** Count the entries of a column in spans; a count that no column has stands for all such. */
private fun countedIn(spans: List<Json>): Long =
    spans.fold(0L) { sum, span ->
        minOf(sum + (span as JsonObject).whole("count"), LARGEST_WHOLE)
    }

private fun requireOrder(times: List<Long>, what: String) {
    val rises = times.zipWithNext().all { (one, next) -> one <= next }
    need(rises, "$what are not in the order of time: the clock went backwards")
}

private fun checkPower(power: JsonObject) {
    val columns = listOf("t_ns", "level", "current", "voltage_mv", "charging")
    val lengths = columns.map { power.list(it).size }.toSet()
    need(lengths.size == 1, "power columns differ in length: ${lengths.sorted()}")
}

private fun checkMeasurement(measurement: JsonObject) {
    val phases = measurement.part("samples").list("phase")
    need(
        phases.any { (it as JsonObject).text("value") == Phase.MEASURED.word },
        "the measurement has no measured samples; what measured nothing is a failure",
    )
    for (name in listOf("events", "scheduling", "states")) {
        requireOrder(measurement.list(name).map { (it as JsonObject).whole("t_ns") }, name)
    }
}

private fun checkRecord(record: JsonObject) {
    val id = record.text("record_id")
    need(ID.matches(id), "the record_id ${JsonText(id).shown()} is not 1 to 64 visible characters")
    requireUtc(record.text("created"))
    val outcome = record["outcome"] as JsonObject
    if (outcome.text("kind") != "measurement") return
    val job = record["job"] as? JsonObject
    if (job == null || record["artifact"] !is JsonObject) {
        throw Mismatch("a measurement needs the artifact and the job that it is about")
    }
    val rounds = job.part("protocol").whole("rounds")
    val last = outcome.part("samples").list("round").maxOf { (it as JsonObject).whole("value") }
    need(
        last < rounds,
        "a sample is of round $last, and the protocol has the rounds 0 to ${rounds - 1}",
    )
}

private fun requireUtc(created: String) {
    val valid = UTC.matches(created) && try {
        Instant.parse(created).epochSecond > Long.MIN_VALUE
    } catch (_: DateTimeException) {
        false
    }
    need(
        valid,
        "created is ${JsonText(created).shown()}, not a time in UTC such as " +
            "2026-01-02T03:04:05.678Z",
    )
}
