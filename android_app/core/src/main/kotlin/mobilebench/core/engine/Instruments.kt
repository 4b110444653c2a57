package mobilebench.core.engine

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Event
import mobilebench.core.documents.GateLog
import mobilebench.core.documents.Samples

/** The clock, the wait and the sensors that a measurement uses. */
interface Instruments {
    /** Monotonic time in nanoseconds. */
    fun nowNs(): Long

    /** Return after the given number of nanoseconds, or a little later. */
    fun waitNs(nanoseconds: Long)

    /** Read the device's state now; quick, for it is called between inferences. */
    fun sense(): DeviceState
}

/** One inference. */
fun interface Infer {
    fun run()
}

/**
 * Decides after an inference which width computes the next one.
 *
 * [reason] and [readings] belong to the last decision that changed the width.
 */
interface Chooser {
    /** Return the index of the width from now on. Allocates nothing without a state. */
    fun choose(tNs: Long, index: Int, latencyNs: Long, state: DeviceState?): Int

    val reason: String

    val readings: Map<String, Double>
}

/** Puts a width in force. */
fun interface Select {
    /** Compute with the width at an index from now on. Allocates nothing. */
    fun select(index: Int)
}

/** Networks of several widths, and what chooses between them. */
class Several(
    /** As shares of the channels of the full network, the widest first. */
    val widths: DoubleArray,
    val select: Select,
    /** Takes the cool latency of each width in nanoseconds; returns what chooses. */
    val chooser: (LongArray) -> Chooser,
)

/** What came since the part before. */
class Part(
    val samples: Samples,
    val loadNs: LongArray,
    val gates: List<GateLog>,
    val states: List<DeviceState>,
    val events: List<Event>,
    val roundEnded: Int?,
)
