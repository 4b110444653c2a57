package mobilebench.core.journal

import mobilebench.core.documents.Event
import mobilebench.core.documents.EventKind
import mobilebench.core.documents.Failure
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Load
import mobilebench.core.documents.LoadKind
import mobilebench.core.documents.Loads
import mobilebench.core.documents.Measurement
import mobilebench.core.documents.Memory
import mobilebench.core.documents.Outcome
import mobilebench.core.documents.Phase
import mobilebench.core.documents.PlacedOperation
import mobilebench.core.documents.Power
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.RuntimeInfo
import mobilebench.core.documents.Samples
import mobilebench.core.documents.Stage
import mobilebench.core.documents.Stop
import mobilebench.core.documents.UnitTiming
import mobilebench.core.documents.judgeUnit
import mobilebench.core.documents.need
import mobilebench.core.json.DocumentRefused
import mobilebench.core.json.Mismatch
import mobilebench.core.numbers.latenciesNs
import mobilebench.core.numbers.percentile

/**
 * Put a journal together as the outcome of its job.
 *
 * Without an end it is cut off. Where a process went on for another one, the round that had not
 * ended counts only as the later one measured it. Throws [DocumentRefused] where lines contradict
 * each other.
 */
fun Journal.outcome(protocol: Protocol): Outcome {
    end?.failure?.let { return it }
    val columns = Columns()
    for ((number, line) in lines.withIndex()) columns.add(line, isFirst = number == 0)
    val samples = columns.samples()
    if (Phase.MEASURED !in samples.phase) return nothing(end?.stopped)
    return try {
        measurement(samples, columns, protocol).also { requireConsistent(it) }
    } catch (error: Mismatch) {
        throw DocumentRefused(
            "The lines of the journal contradict each other: ${error.described}.", error
        )
    }
}

private fun requireConsistent(measurement: Measurement) {
    // Each line by itself has been checked; what is left is their order.
    val times = listOf(
        "samples" to measurement.samples.tNs.asList(),
        "states" to measurement.states.map { it.tNs },
        "events" to measurement.events.map { it.tNs },
        "scheduling" to measurement.scheduling.map { it.tNs },
    )
    for ((name, values) in times) {
        val rises = values.zipWithNext().all { (one, next) -> one <= next }
        need(rises, "$name are not in the order of time")
    }
}

private fun Journal.measurement(
    samples: Samples,
    columns: Columns,
    protocol: Protocol,
): Measurement {
    val states = lines.flatMap { it.states }
    val placement = lines.firstNotNullOfOrNull { it.placement }
    val timings = lines.flatMap { it.unitTimings }
    return Measurement(
        runtime = judged(starts.last().runtime, samples, placement, timings),
        samples = samples,
        loads = sorted(lines.flatMap { it.loads }),
        memory = Memory(lines.mapNotNull { it.peakBytes }.max(), starts.first().beforeLoadBytes),
        before = starts.first().before,
        after = end?.after ?: states.lastOrNull() ?: starts.last().before,
        gates = if (protocol.gate != null) columns.gates else emptyList(),
        states = states,
        events = columns.events,
        power = powerOf(lines.mapNotNull { it.power }),
        scheduling = lines.flatMap { it.scheduling },
        application = starts.last().application,
        // A process that goes on checks again; the last check of a unit counts.
        parity = lines.flatMap { it.parity }.associateBy { it.unit }.values.toList(),
        placement = placement,
        unitTimings = timings,
        stopped = end?.stopped,
        cutOff = end == null,
    )
}

/** Judge where the model ran, which a device that begins to measure cannot know yet. */
private fun judged(
    runtime: RuntimeInfo,
    samples: Samples,
    placement: List<PlacedOperation>?,
    timings: List<UnitTiming>,
): RuntimeInfo {
    if (placement == null && timings.isEmpty()) return runtime
    val p50Ns = percentile(latenciesNs(samples), 50.0)
    val judged = judgeUnit(runtime.computeUnitRequested, p50Ns, placement, timings)
    return runtime.copy(computeUnitEvidence = judged)
}

/** Joins samples, gates and events, without what a later process measured again. */
private class Columns {
    private var parts = ArrayList<Samples>()
    val gates = ArrayList<GateLog>()
    val events = ArrayList<Event>()

    fun add(line: Line, isFirst: Boolean) {
        if (line.start != null && !isFirst) resume(line.start)
        line.samples?.let { parts += it }
        gates += line.gates
        events += line.events
    }

    private fun resume(start: Start) {
        parts = parts.mapTo(ArrayList()) { it.before(start.round) }
        while (gates.size > start.round) gates.removeAt(gates.lastIndex)
        events += Event(start.tNs, EventKind.RESUMED)
    }

    fun samples(): Samples {
        val hasWidths = parts.any { it.width.isNotEmpty() }
        return Samples(
            tNs = joined(parts.map { it.tNs }),
            latencyNs = joined(parts.map { it.latencyNs }),
            phase = parts.flatMap { it.phase.asList() }.toTypedArray(),
            round = parts.flatMap { it.round.asList() }.toIntArray(),
            width = parts.flatMap { it.widths(hasWidths) }.toDoubleArray(),
        )
    }
}

/** Return the samples of the rounds before one. */
private fun Samples.before(first: Int): Samples {
    val count = round.count { it < first }
    return Samples(
        tNs.copyOf(count), latencyNs.copyOf(count), phase.copyOfRange(0, count),
        round.copyOf(count), width.copyOf(if (width.isEmpty()) 0 else count),
    )
}

/** Return the widths; samples without them are of the full network where others have some. */
private fun Samples.widths(others: Boolean): List<Double> =
    if (width.isEmpty() && others) List(size) { 1.0 } else width.asList()

private fun joined(parts: List<LongArray>): LongArray {
    val whole = LongArray(parts.sumOf { it.size })
    var place = 0
    for (part in parts) {
        part.copyInto(whole, place)
        place += part.size
    }
    return whole
}

/** Sort loads by their kind; a later process's first load is a cold one. */
private fun sorted(loads: List<Load>): Loads {
    val of = loads.groupBy({ it.kind }, { it.ns })
    val ever = of[LoadKind.FIRST_EVER].orEmpty()
    val fresh = of[LoadKind.FIRST] ?: ever
    need(fresh.isNotEmpty(), "there are samples, and no load that was the first of its process")
    val cold = fresh.drop(1) + of[LoadKind.COLD].orEmpty()
    return Loads(
        firstNs = fresh.first(),
        warmNs = of[LoadKind.WARM].orEmpty().toLongArray(),
        firstEverNs = ever.firstOrNull(),
        coldNs = cold.toLongArray(),
    )
}

/** Join readings of the battery; what is known of the counter is what the last part says. */
private fun powerOf(parts: List<Power>): Power? =
    parts.lastOrNull()?.copy(readings = parts.flatMap { it.readings })

private fun Journal.nothing(stopped: Stop?): Failure {
    if (stopped != null) {
        val limit = "the limit of ${stopped.word} of the job was reached"
        return Failure(Stage.RUN, "Stopped", "$limit before the first measured sample")
    }
    val left = remark?.let { "; $it" }.orEmpty()
    return Failure(Stage.RUN, "CutOff", "the process ended before the first measured sample$left")
}
