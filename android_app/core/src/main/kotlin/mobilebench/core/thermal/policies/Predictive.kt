package mobilebench.core.thermal.policies

import mobilebench.core.documents.Aim
import mobilebench.core.thermal.CapWatch
import mobilebench.core.thermal.Controller
import mobilebench.core.thermal.HOUR_NS
import mobilebench.core.thermal.HeatSource
import mobilebench.core.thermal.NEVER
import mobilebench.core.thermal.Parameter
import mobilebench.core.thermal.Reading
import mobilebench.core.thermal.Reason
import mobilebench.core.thermal.SECOND_NS
import mobilebench.core.thermal.Slope
import mobilebench.core.thermal.WidthCost
import mobilebench.core.thermal.excess
import mobilebench.core.thermal.heatSource
import mobilebench.core.thermal.larger
import mobilebench.core.thermal.warmthC

/**
 * `predictive`: keep a limit on heat by where the temperature goes.
 *
 * The deadline is a guard: no width is wider than it allows.
 *
 *     limit     what the aim states, or the temperature at which the clock was capped first: that
 *               one is learnt
 *     forecast  the temperature now and its slope for a while; without it where a sensor is coarse
 *     give up   where the narrowest network does not release a cap, the deadline alone counts for
 *               long
 *
 * The temperature is that of the skin; without it Android's headroom, then the battery. A trip that
 * is learnt from a late, coarse sensor is too low, so it creeps up. A cap in spite of it shows that
 * it is too high, so it falls. Without any sensor of what is limited the deadline alone counts:
 * latencies tell of a cap only by having one, so no limit can be kept.
 */
internal class Predictive(
    widths: List<WidthCost>,
    private val aim: Aim,
    deadlineNs: Long,
    parameters: Map<String, Double>,
) : Controller {
    private val tuned = Tuned(parameters)
    private val others = aim.copy(uncapped = false)
    private val narrowest = widths.size - 1
    private val guard = Deadline(widths, deadlineNs)
    private val caps = CapWatch(LongArray(widths.size) { widths[it].coolNs })
    private val slope = Slope()
    private var last = Reading()
    private var source: HeatSource? = null
    private var nowC = Double.NaN
    private var sensedNs = NEVER
    private var tripC = Double.NaN
    private var creptNs = 0L
    private var index = 0
    private var movedNs = NEVER
    private var coolSinceNs = NEVER
    private val waitNs = DoubleArray(widths.size) { tuned.quietNs }
    private var onTrial = false
    private var stuckSinceNs = NEVER
    private var lookedNs = 0L
    private var lookedC = Double.NaN
    private var gaveUpNs = NEVER

    override var reason = Reason.HOLD
        private set
    private var isOfGuard = false

    override val inputs: Map<String, Double>
        get() = when {
            isOfGuard -> guard.inputs
            reason == Reason.HOLD -> emptyMap()
            else -> shown()
        }

    override fun decide(tNs: Long, index: Int, latencyNs: Long, reading: Reading?): Int {
        val allowed = guard.decide(tNs, index, latencyNs, reading)
        val begins = caps.see(index, latencyNs, reading, trustLatency = !guard.followsLoad)
        if (reading != null) sense(reading, tNs)
        var why = Reason.HOLD
        if (sensedNs == NEVER || tNs - sensedNs > tuned.staleNs) {
            forget()
        } else if (begins && aim.uncapped) {
            why = learn(tNs)
        } else if (sensedNs == tNs) {
            why = look(tNs)
        }
        // Giving up and trying again are told even where the deadline keeps the width as it is.
        val isTold = why == Reason.GAVE_UP || why == Reason.TRIES_AGAIN
        isOfGuard = allowed > this.index && !isTold
        reason = if (isOfGuard) guard.reason else why
        return maxOf(allowed, this.index)
    }

    private fun shown(): Map<String, Double> {
        val numbers = LinkedHashMap(last.known())
        numbers["slope_c_per_s"] = slope.cPerS
        if (!tripC.isNaN()) numbers["trip_c"] = tripC
        return numbers
    }

    /** Take in a reading. */
    private fun sense(reading: Reading, tNs: Long) {
        last = reading
        val best = heatSource(reading)
        nowC = Double.NaN
        if (best != null) {
            nowC = warmthC(reading, best)
            if (best != source) {
                source = best
                tripC = Double.NaN
                slope.clear()
            }
            slope.add(tNs, nowC)
        }
        val tellsOfCaps = aim.uncapped && (best != null || !reading.cap.isNaN())
        if (tellsOfCaps || !excess(others, reading, false).isNaN()) sensedNs = tNs
    }

    /** Leave all to the deadline, since what is limited has not been read for long, or never. */
    private fun forget() {
        index = 0
        movedNs = NEVER
        coolSinceNs = NEVER
        stuckSinceNs = NEVER
        gaveUpNs = NEVER
    }

    /** Take the temperature at which the clock was capped for the limit. */
    private fun learn(tNs: Long): Reason {
        if (!nowC.isNaN()) {
            if (tripC.isNaN()) {
                tripC = nowC
            } else if (gaveUpNs == NEVER) { // what was learnt before has not kept the clock free
                tripC = minOf(tripC, nowC) - tuned.marginC
            }
            creptNs = tNs
        }
        if (gaveUpNs != NEVER || index == narrowest) return Reason.HOLD
        fail(tNs)
        move(narrowest, tNs)
        return Reason.CAPPED
    }

    /** Decide by a new reading. */
    private fun look(tNs: Long): Reason {
        creep(tNs)
        if (gaveUpNs != NEVER) {
            if (tNs - gaveUpNs < tuned.restNs) return Reason.HOLD
            gaveUpNs = NEVER
            move(narrowest, tNs)
            return Reason.TRIES_AGAIN
        }
        val excess = forecastExcess()
        if (givesUp(excess, tNs)) {
            gaveUpNs = tNs
            move(0, tNs)
            return Reason.GAVE_UP
        }
        return if (excess.isNaN()) Reason.HOLD else step(excess, tNs)
    }

    /** Move by one width where that is due; return why. */
    private fun step(excess: Double, tNs: Long): Reason {
        if (excess >= -tuned.releaseC || caps.capped) {
            coolSinceNs = NEVER
        } else if (coolSinceNs == NEVER) {
            coolSinceNs = tNs
        }
        val waited = movedNs == NEVER || tNs - movedNs >= tuned.dwellNs
        if (excess > 0 && waited && index < narrowest) {
            fail(tNs)
            move(index + 1, tNs)
            return Reason.HEAT
        }
        if (coolSinceNs == NEVER || index == 0) return Reason.HOLD
        if (tNs - coolSinceNs < waitNs[index - 1]) return Reason.HOLD
        move(index - 1, tNs, tries = true)
        return Reason.COOLED
    }

    /** Return by how much the forecast is beyond where it acts; NaN where that is not known. */
    private fun forecastExcess(): Double {
        val aheadC = slope.cPerS * tuned.horizonNs / SECOND_NS
        val stated = excess(aim, last, caps.capped) + aheadC
        return larger(stated, nowC + aheadC - tripC) + tuned.marginC
    }

    /** Return whether the narrowest width has not kept the limit, and will not soon. */
    private fun givesUp(excess: Double, tNs: Long): Boolean {
        val isBroken = caps.capped || excess > tuned.marginC
        if (index < narrowest || !isBroken) {
            stuckSinceNs = NEVER
            return false
        }
        if (stuckSinceNs == NEVER) {
            stuckSinceNs = tNs
            lookedNs = tNs
            lookedC = Double.NaN
        }
        if (tNs - lookedNs < tuned.patienceNs / 2) return false
        val falls = lookedC - nowC > FALLS_C
        lookedNs = tNs
        lookedC = nowC
        return tNs - stuckSinceNs >= tuned.patienceNs && !falls
    }

    /** Let the learnt trip rise. */
    private fun creep(tNs: Long) {
        if (!tripC.isNaN() && !caps.capped) {
            tripC += tuned.creepC * ((tNs - creptNs).toDouble() / (60 * SECOND_NS))
        }
        creptNs = tNs
    }

    /** Let a width that was left soon after it was tried wait for longer the next time. */
    private fun fail(tNs: Long) {
        if (!onTrial || movedNs == NEVER) return
        waitNs[index] =
            if (tNs - movedNs < tuned.trialNs) minOf(tuned.longestNs, 2 * waitNs[index])
            else tuned.quietNs
    }

    private fun move(to: Int, tNs: Long, tries: Boolean = false) {
        index = to
        movedNs = tNs
        onTrial = tries
        coolSinceNs = NEVER
        stuckSinceNs = NEVER
    }

    /** The parameters; see [PARAMETERS]. */
    private class Tuned(parameters: Map<String, Double>) {
        val marginC = parameters.getValue("margin_c")
        val releaseC = parameters.getValue("release_c")
        val horizonNs = parameters.getValue("horizon_ns")
        val dwellNs = parameters.getValue("dwell_ns")
        val quietNs = parameters.getValue("quiet_ns")
        val longestNs = parameters.getValue("longest_ns")
        val trialNs = parameters.getValue("trial_ns")
        val creepC = parameters.getValue("creep_c")
        val patienceNs = parameters.getValue("patience_ns")
        val restNs = parameters.getValue("rest_ns")
        val staleNs = parameters.getValue("stale_ns")
    }

    companion object {
        val PARAMETERS = listOf(
            // Degrees below the limit where it acts.
            Parameter("margin_c", 0.5, 0.0, 20.0),
            // Degrees further below, where it widens again.
            Parameter("release_c", 1.0, 0.0, 20.0),
            // How far it forecasts.
            Parameter("horizon_ns", 30.0 * SECOND_NS, 0.0, HOUR_NS),
            // Least time between two steps to narrower widths.
            Parameter("dwell_ns", 20.0 * SECOND_NS, 0.0, HOUR_NS),
            // Time that it has to be cool, to widen.
            Parameter("quiet_ns", 30.0 * SECOND_NS, 0.0, HOUR_NS),
            // The longest that this becomes by doubling.
            Parameter("longest_ns", 640.0 * SECOND_NS, 0.0, HOUR_NS),
            // A width that is left within this time has failed.
            Parameter("trial_ns", 120.0 * SECOND_NS, 0.0, HOUR_NS),
            // Degrees a minute by which a learnt trip rises.
            Parameter("creep_c", 0.02, 0.0, 1.0),
            // Time at the narrowest width until it gives up.
            Parameter("patience_ns", 120.0 * SECOND_NS, 0.0, HOUR_NS),
            // Time for which it has given up.
            Parameter("rest_ns", 600.0 * SECOND_NS, 0.0, HOUR_NS),
            // Age at which a reading counts no longer.
            Parameter("stale_ns", 30.0 * SECOND_NS, 0.0, HOUR_NS),
        )

        /**
         * Fall within half of the patience that is worth more of it: two steps of a fine sensor.
         */
        private const val FALLS_C = 0.2
    }
}
