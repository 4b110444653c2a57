package mobilebench.core.numbers

import mobilebench.core.documents.Headline
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Samples

/** Percentiles of the measured samples that began within one span of time. */
data class Window(
    val startNs: Long,
    val count: Int,
    val p50Ns: Double,
    val p90Ns: Double,
    val p99Ns: Double,
)

/** How many frames of a paced measurement were on time, late and dropped. */
data class Deadlines(
    /** Frames that were due while it ran. */
    val frames: Long,
    val onTime: Long,
    /** Started, but not finished when the next frame was due. */
    val late: Long,
    /** Not started, because the inference before was still running. */
    val dropped: Long,
)

/**
 * Return the number that the protocol reports as its result.
 *
 * A round with too few samples for a trimmed mean is left out; null where every round is, and where
 * nothing was measured.
 */
fun headlineNs(protocol: Protocol, samples: Samples): Double? {
    val latencies = latenciesNs(samples)
    if (latencies.isEmpty()) return null
    return when (protocol.headline) {
        Headline.MEDIAN -> percentile(latencies, 50.0)
        Headline.P90 -> percentile(latencies, 90.0)
        Headline.TRIMMED_MEAN -> meanOfTrimmedMeans(protocol, samples)
    }
}

private fun meanOfTrimmedMeans(protocol: Protocol, samples: Samples): Double? {
    val means = (0 until protocol.rounds)
        .map { round -> latenciesNs(samples, round = round) }
        .filter { it.size > 2 * protocol.trim }
        .map { trimmedMean(doubles(it), protocol.trim, protocol.trim) }
    return if (means.isEmpty()) null else means.sum() / means.size
}

/**
 * Return percentiles for each span of time since the first measured sample.
 *
 * Spans without a sample are left out.
 */
fun windows(samples: Samples, windowNs: Long): List<Window> {
    val measured = places(samples)
    val windows = ArrayList<Window>()
    var from = 0
    while (from < measured.size) {
        val origin = samples.tNs[measured[0]]
        val number = (samples.tNs[measured[from]] - origin) / windowNs
        var to = from + 1
        while (to < measured.size && (samples.tNs[measured[to]] - origin) / windowNs == number) to++
        val ordered = DoubleArray(to - from) { samples.latencyNs[measured[from + it]].toDouble() }
        ordered.sort()
        windows += Window(
            startNs = origin + number * windowNs,
            count = to - from,
            p50Ns = percentileOfOrdered(ordered, 50.0),
            p90Ns = percentileOfOrdered(ordered, 90.0),
            p99Ns = percentileOfOrdered(ordered, 99.0),
        )
        from = to
    }
    return windows
}

/**
 * Count the frames of a paced protocol that were on time, late and dropped.
 *
 * All rounds with samples are counted. A frame is due at a multiple of the interval since the
 * round's first; it must be finished when the next is due.
 */
fun deadlines(protocol: Protocol, samples: Samples): Deadlines {
    val interval = requireNotNull(protocol.intervalNs) {
        "the protocol ${protocol.id} has no pace, so nothing has a deadline"
    }
    var frames = 0L
    var started = 0L
    var onTime = 0L
    for (round in 0 until protocol.rounds) {
        val measured = places(samples, round = round)
        if (measured.isEmpty()) continue
        val first = samples.tNs[measured[0]]
        var frame = 0L
        for (place in measured) {
            val start = samples.tNs[place] - first
            frame = start / interval
            if (start + samples.latencyNs[place] <= (frame + 1) * interval) onTime += 1
        }
        frames += frame + 1
        started += measured.size
    }
    return Deadlines(frames, onTime, late = started - onTime, dropped = frames - started)
}

/** Return the places of the samples of one phase, of one round or of all, in order. */
fun places(samples: Samples, phase: Phase = Phase.MEASURED, round: Int? = null): IntArray {
    val matching = IntArray(samples.size)
    var count = 0
    for (place in 0 until samples.size) {
        val isOfRound = round == null || samples.round[place] == round
        if (isOfRound && samples.phase[place] == phase) matching[count++] = place
    }
    return matching.copyOf(count)
}

/** Return the latencies of one phase, of one round or of all, in order. */
fun latenciesNs(samples: Samples, phase: Phase = Phase.MEASURED, round: Int? = null): LongArray {
    val chosen = places(samples, phase, round)
    return LongArray(chosen.size) { samples.latencyNs[chosen[it]] }
}
