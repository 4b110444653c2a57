package mobilebench.core.engine

import mobilebench.core.documents.Phase
import mobilebench.core.documents.Protocol
import mobilebench.core.documents.Samples

/**
 * The samples since the last part, in primitive arrays of a fixed size.
 *
 * They are allocated once, before the first round, and emptied by each part, so adding a sample
 * allocates nothing. When they are nearly full, the next part leaves early: no sample is lost, and
 * no array grows.
 */
internal class Columns(private val room: Int, private val hasWidths: Boolean) {
    private val tNs = LongArray(room)
    private val latencyNs = LongArray(room)
    private val isMeasured = BooleanArray(room)
    private val round = IntArray(room)
    private val width = DoubleArray(if (hasWidths) room else 0)
    private var size = 0

    /** Whether only those inferences have room that follow each other without a look at this. */
    val isNearlyFull: Boolean get() = size > room - SPARE

    fun add(tNs: Long, latencyNs: Long, phase: Phase, round: Int, width: Double) {
        this.tNs[size] = tNs
        this.latencyNs[size] = latencyNs
        isMeasured[size] = phase == Phase.MEASURED
        this.round[size] = round
        if (hasWidths) this.width[size] = width
        size += 1
    }

    /** Return a copy of the samples, and forget them. */
    fun take(): Samples {
        val samples = Samples(
            tNs = tNs.copyOf(size),
            latencyNs = latencyNs.copyOf(size),
            phase = Array(size) { if (isMeasured[it]) Phase.MEASURED else Phase.WARM_UP },
            round = round.copyOf(size),
            width = width.copyOf(if (hasWidths) size else 0),
        )
        size = 0
        return samples
    }

    companion object {
        /** Inferences between two looks at the room: one, a width's baseline, and one. */
        const val SPARE = BASELINE_INFERENCES + 2
    }
}

/**
 * Return how many samples the columns of a run hold.
 *
 * That is as many as the protocol counts for a round, or as a part holds of inferences of 20
 * microseconds, whichever is more; at most 65,536, which are 2 MB.
 */
internal fun roomFor(protocol: Protocol, widths: Int, everyNs: Long): Int {
    val baselines = widths.toLong() * BASELINE_INFERENCES
    val counted = protocol.warmUp.minIterations.toLong() + baselines + protocol.inferences
    val room = maxOf(counted, everyNs / SHORT_INFERENCE_NS) + 2 * Columns.SPARE
    return minOf(room, MOST_ROOM).toInt()
}

/** Inferences that measure the cool latency of a width. */
internal const val BASELINE_INFERENCES = 12

private const val SHORT_INFERENCE_NS = 20_000L
private const val MOST_ROOM = 65_536L
