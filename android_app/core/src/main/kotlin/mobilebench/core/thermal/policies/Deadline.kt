package mobilebench.core.thermal.policies

import mobilebench.core.thermal.Controller
import mobilebench.core.thermal.HOUR_NS
import mobilebench.core.thermal.NEVER
import mobilebench.core.thermal.NO_FRAME
import mobilebench.core.thermal.Pace
import mobilebench.core.thermal.Parameter
import mobilebench.core.thermal.Reading
import mobilebench.core.thermal.Reason
import mobilebench.core.thermal.SECOND_NS
import mobilebench.core.thermal.WidthCost
import mobilebench.core.thermal.defaultsOf

/**
 * `deadline`: as many accurate frames in time as the clock allows, from latency alone.
 *
 *     value of a width = its accuracy x the chance that it is in time at the pace seen now
 *
 * A narrower width of greater value is taken at once. A wider one has to be of greater value for a
 * quiet time without a break; the time doubles for a width that failed soon after it was taken.
 *
 * A governor that follows the load hides how fast the clock could be: at a narrow width everything
 * looks slow. So a wider width is probed now and then, often only where probing has helped.
 */
internal class Deadline(
    widths: List<WidthCost>,
    private val deadlineNs: Long,
    parameters: Map<String, Double> = defaultsOf(PARAMETERS),
) : Controller {
    private val top1 = DoubleArray(widths.size) { widths[it].top1 }
    private val longestNs = parameters.getValue("longest_ns")
    private val trialNs = parameters.getValue("trial_ns")
    private val gain = 1 + parameters.getValue("gain")

    /** For each width, how long it takes to be tried by [Reason.ROOM]. */
    private val room = Waits(widths.size, parameters.getValue("quiet_ns"))

    /** For each width, how long it takes to be tried by [Reason.PROBE]. */
    private val probe = Waits(widths.size, parameters.getValue("probe_ns"))

    /** For each width, when it came into reach; [NEVER] where it is not. */
    private val sinceNs = LongArray(widths.size) { NEVER }
    private val values = DoubleArray(widths.size)
    private var movedNs = 0L

    /** How the width was reached; null where it was reached from a wider one. */
    private var trial: Waits? = null
    private var isProbing = false
    private var paceBeforeProbe = 1.0

    val pace = Pace(LongArray(widths.size) { widths[it].coolNs })

    /** Whether a probe has shown that the clock follows the load. */
    var followsLoad = false
        private set

    /** Of the width that is wanted. */
    var index = 0
        private set

    override var reason = Reason.HOLD
        private set
    private var paceThen = 1.0
    private var waitedS = 0.0

    override val inputs: Map<String, Double>
        get() {
            if (reason == Reason.HOLD) return emptyMap()
            return linkedMapOf("pace" to paceThen, "waited_s" to waitedS)
        }

    override fun decide(tNs: Long, index: Int, latencyNs: Long, reading: Reading?): Int {
        reason = Reason.HOLD
        if (latencyNs == NO_FRAME) return this.index
        pace.add(index, latencyNs)
        if (isProbing) {
            if (tNs - movedNs < SETTLE_NS) return this.index
            judgeProbe()
        }
        weigh(tNs)
        return this.index
    }

    /** Move to another width where that is due. */
    private fun weigh(tNs: Long) {
        var best = 0
        for (at in values.indices) {
            values[at] = top1[at] * pace.chance(at, deadlineNs)
            if (values[at] > values[best]) best = at
        }
        var enough = values[index] * gain
        if (values[best] == 0.0) { // nothing is in time, and the narrowest is the least late
            best = values.size - 1
            enough = -1.0
        }
        if (best > index && values[best] > enough) {
            narrower(best, tNs)
        } else if (!takeRoom(maxOf(enough, 0.0), tNs)) {
            tryProbe(tNs)
        }
    }

    /** Take a wider width that has been better for its quiet time; return whether there was one. */
    private fun takeRoom(enough: Double, tNs: Long): Boolean {
        for (wider in 0 until index) {
            if (values[wider] <= enough) {
                sinceNs[wider] = NEVER
                continue
            }
            if (sinceNs[wider] == NEVER) sinceNs[wider] = tNs
            if (tNs - sinceNs[wider] >= room.ns[wider]) {
                trial = room
                move(wider, Reason.ROOM, tNs)
                return true
            }
        }
        return false
    }

    /** Try the next wider width where that is due, and would be of use. */
    private fun tryProbe(tNs: Long) {
        val wider = index - 1
        if (wider < 0 || tNs - movedNs < probe.ns[wider]) return
        if (top1[wider] <= top1[index] * gain) return
        isProbing = true
        paceBeforeProbe = pace.value
        trial = probe
        move(wider, Reason.PROBE, tNs)
    }

    private fun narrower(best: Int, tNs: Long) {
        trial?.let { waits ->
            val failed = tNs - movedNs < trialNs
            waits.ns[index] =
                if (failed) minOf(longestNs, 2 * waits.ns[index]) else waits.firstNs
        }
        trial = null
        move(best, Reason.LATE, tNs)
    }

    private fun move(to: Int, why: Reason, tNs: Long) {
        reason = why
        paceThen = pace.value
        waitedS = (tNs - movedNs).toDouble() / SECOND_NS
        index = to
        movedNs = tNs
        sinceNs.fill(NEVER)
    }

    /** See whether the clock rose with the load of a probe. */
    private fun judgeProbe() {
        if (pace.value < FASTER * paceBeforeProbe && !followsLoad) {
            followsLoad = true
            probe.takeOver(room)
        }
        isProbing = false
    }

    /** How long a way to wider widths takes, for each width; [firstNs] before any has failed. */
    private class Waits(widths: Int, var firstNs: Double) {
        val ns = DoubleArray(widths) { firstNs }

        fun takeOver(other: Waits) {
            firstNs = other.firstNs
            other.ns.copyInto(ns)
        }
    }

    companion object {
        val PARAMETERS = listOf(
            // Time that a wider width has to be in reach.
            Parameter("quiet_ns", 10.0 * SECOND_NS, 0.0, HOUR_NS),
            // The longest that waiting becomes by doubling.
            Parameter("longest_ns", 640.0 * SECOND_NS, 0.0, HOUR_NS),
            // A width that is left within this time has failed.
            Parameter("trial_ns", 60.0 * SECOND_NS, 0.0, HOUR_NS),
            // Time before the next wider width is probed.
            Parameter("probe_ns", 240.0 * SECOND_NS, 1.0 * SECOND_NS, HOUR_NS),
            // Share by which another width has to be better.
            Parameter("gain", 0.02, 0.0, 1.0),
        )

        /** A pace below this share of the one before a probe: the clock follows the load. */
        private const val FASTER = 0.97

        /** Time that a governor has to answer a probe. */
        private const val SETTLE_NS = SECOND_NS / 4
    }
}
