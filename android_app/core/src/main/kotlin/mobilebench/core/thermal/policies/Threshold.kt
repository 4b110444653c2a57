package mobilebench.core.thermal.policies

import mobilebench.core.documents.Aim
import mobilebench.core.thermal.CapWatch
import mobilebench.core.thermal.Controller
import mobilebench.core.thermal.HOUR_NS
import mobilebench.core.thermal.NEVER
import mobilebench.core.thermal.Parameter
import mobilebench.core.thermal.Reading
import mobilebench.core.thermal.Reason
import mobilebench.core.thermal.SECOND_NS
import mobilebench.core.thermal.WidthCost
import mobilebench.core.thermal.excess
import mobilebench.core.thermal.hasLimit
import mobilebench.core.thermal.larger

/**
 * `threshold`: one width narrower above a limit, one wider well below it.
 *
 * This is what people do by hand. It looks at what the aim limits; without a limit on heat, at the
 * latency against the cool one. Between two moves it waits for a dwell time.
 */
internal class Threshold(
    widths: List<WidthCost>,
    private val aim: Aim,
    deadlineNs: Long,
    parameters: Map<String, Double>,
) : Controller {
    private val marginC = parameters.getValue("margin_c")
    private val releaseC = parameters.getValue("release_c")
    private val slow = parameters.getValue("slow")
    private val fast = parameters.getValue("fast")
    private val dwellNs = parameters.getValue("dwell_ns")
    private val isGuarded = parameters.getValue("guarded") != 0.0
    private val learns = parameters.getValue("learns") != 0.0
    private val hasLimit = hasLimit(aim)
    private val narrowest = widths.size - 1
    private val guard = Deadline(widths, deadlineNs)
    private val caps = CapWatch(LongArray(widths.size) { widths[it].coolNs })

    /** Temperature of the skin where it acts too; NaN for none. */
    private var atC = parameters.getValue("at_c").let { if (it == 0.0) Double.NaN else it }
    private var last = Reading()
    private var index = 0
    private var movedNs = NEVER

    override var reason = Reason.HOLD
        private set
    private var isOfGuard = false

    override val inputs: Map<String, Double>
        get() = when {
            isOfGuard -> guard.inputs
            reason == Reason.HOLD -> emptyMap()
            else -> last.known()
        }

    override fun decide(tNs: Long, index: Int, latencyNs: Long, reading: Reading?): Int {
        val allowed = guard.decide(tNs, index, latencyNs, reading)
        val begins = caps.see(index, latencyNs, reading, trustLatency = !guard.followsLoad)
        if (reading != null) last = reading
        if (begins && learns && atC.isNaN()) atC = last.skinC
        val why = if (reading != null || begins) step(tNs) else Reason.HOLD
        isOfGuard = isGuarded && allowed > this.index
        reason = if (isOfGuard) guard.reason else why
        return if (isOfGuard) allowed else this.index
    }

    /** Move by one width where that is due; return why. */
    private fun step(tNs: Long): Reason {
        val byHeat = hasLimit || !atC.isNaN()
        val excess = if (byHeat) excessOfHeat() else guard.pace.value - slow
        val release = if (byHeat) releaseC else slow - fast
        if (excess.isNaN() || (movedNs != NEVER && tNs - movedNs < dwellNs)) return Reason.HOLD
        if (excess > 0 && index < narrowest) {
            index += 1
            movedNs = tNs
            return Reason.HEAT
        }
        if (excess < -release && index > 0) {
            index -= 1
            movedNs = tNs
            return Reason.COOLED
        }
        return Reason.HOLD
    }

    /** Return how far it is beyond where it acts; NaN where that is not known. */
    private fun excessOfHeat(): Double =
        larger(excess(aim, last, caps.capped) + marginC, last.skinC - atC + marginC)

    companion object {
        val PARAMETERS = listOf(
            // Degrees below the limit where it acts.
            Parameter("margin_c", 0.0, -20.0, 50.0),
            // Degrees further below, where it widens again.
            Parameter("release_c", 2.0, 0.0, 50.0),
            // Temperature of the skin where it acts too; 0: none.
            Parameter("at_c", 0.0, 0.0, 100.0),
            // Without a limit: latency over cool where it acts.
            Parameter("slow", 1.12, 1.0, 100.0),
            // Without a limit: latency over cool where it widens again.
            Parameter("fast", 1.04, 1.0, 100.0),
            // Least time between two moves.
            Parameter("dwell_ns", 60.0 * SECOND_NS, 0.0, HOUR_NS),
            // 1: never wider than the deadline allows.
            Parameter("guarded", 1.0, 0.0, 1.0),
            // 1: acts where the clock was capped first.
            Parameter("learns", 0.0, 0.0, 1.0),
        )
    }
}
