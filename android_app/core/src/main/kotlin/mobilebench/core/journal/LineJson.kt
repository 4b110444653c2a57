package mobilebench.core.journal

import mobilebench.core.documents.DocumentKind
import mobilebench.core.documents.JOURNAL_VERSION
import mobilebench.core.documents.addPlacement
import mobilebench.core.documents.countOrNull
import mobilebench.core.documents.count
import mobilebench.core.documents.fieldsOf
import mobilebench.core.documents.known
import mobilebench.core.documents.maybeWord
import mobilebench.core.documents.part
import mobilebench.core.documents.partOrNull
import mobilebench.core.documents.parts
import mobilebench.core.documents.readApplication
import mobilebench.core.documents.readDevice
import mobilebench.core.documents.readEvent
import mobilebench.core.documents.readFailure
import mobilebench.core.documents.readGate
import mobilebench.core.documents.readLoad
import mobilebench.core.documents.readOperation
import mobilebench.core.documents.readParity
import mobilebench.core.documents.readPower
import mobilebench.core.documents.readRuntime
import mobilebench.core.documents.readSamples
import mobilebench.core.documents.readScheduling
import mobilebench.core.documents.readState
import mobilebench.core.documents.readTiming
import mobilebench.core.documents.refusing
import mobilebench.core.documents.text
import mobilebench.core.documents.toJson
import mobilebench.core.documents.whole
import mobilebench.core.documents.wholeOrNull
import mobilebench.core.json.Json
import mobilebench.core.json.JsonObject

/** Return the line with its number, as it stands in the file. */
fun Line.toJson(number: Int): JsonObject = fieldsOf {
    add("n", number)
    add("start", start?.toJson())
    add("parity", parity) { it.toJson() }
    addPlacement(placement)
    add("unit_timings", unitTimings) { it.toJson() }
    add("loads", loads) { it.toJson() }
    add("gates", gates) { it.toJson() }
    add("samples", samples?.toJson())
    add("states", states) { it.toJson() }
    add("events", events) { it.toJson() }
    add("power", power?.toJson())
    add("scheduling", scheduling) { it.toJson() }
    add("peak_bytes", peakBytes)
    add("round_ended", roundEnded)
    add("end", end?.toJson())
}

private fun Start.toJson(): JsonObject = fieldsOf {
    add("schema_version", JOURNAL_VERSION)
    add("job_sha256", jobSha256)
    add("created", created)
    add("t_ns", tNs)
    add("round", round)
    add("device", device.toJson())
    add("runtime", runtime.toJson())
    add("application", application?.toJson())
    add("before", before.toJson())
    add("before_load_bytes", beforeLoadBytes)
}

private fun End.toJson(): JsonObject = fieldsOf {
    add("after", after.toJson())
    add("stopped", stopped)
    add("failure", failure?.toJson())
}

/** A line that was read, with the number that it gives itself. */
internal class Numbered(val n: Long, val line: Line)

/** Read a line. Throws `DocumentRefused` for one of another version or form. */
internal fun readLine(json: Json, what: String): Numbered {
    val tree = DocumentKind.LINE.read(json, what)
    return Numbered(tree.whole("n"), refusing(what) { readLine(tree) })
}

private fun readLine(line: JsonObject) = Line(
    start = line.partOrNull("start")?.let(::readStart),
    parity = line.parts("parity", ::readParity),
    placement = line.known("placement")?.let { line.parts("placement", ::readOperation) },
    unitTimings = line.parts("unit_timings", ::readTiming),
    loads = line.parts("loads", ::readLoad),
    gates = line.parts("gates", ::readGate),
    samples = line.partOrNull("samples")?.let(::readSamples),
    states = line.parts("states", ::readState),
    events = line.parts("events", ::readEvent),
    power = line.partOrNull("power")?.let(::readPower),
    scheduling = line.parts("scheduling", ::readScheduling),
    peakBytes = line.wholeOrNull("peak_bytes"),
    roundEnded = line.countOrNull("round_ended"),
    end = line.partOrNull("end")?.let(::readEnd),
)

private fun readStart(start: JsonObject) = Start(
    jobSha256 = start.text("job_sha256"),
    created = start.text("created"),
    tNs = start.whole("t_ns"),
    round = start.count("round"),
    device = readDevice(start.part("device")),
    runtime = readRuntime(start.part("runtime")),
    application = start.partOrNull("application")?.let(::readApplication),
    before = readState(start.part("before")),
    beforeLoadBytes = start.whole("before_load_bytes"),
)

private fun readEnd(end: JsonObject) = End(
    after = readState(end.part("after")),
    stopped = end.maybeWord("stopped"),
    failure = end.partOrNull("failure")?.let(::readFailure),
)
