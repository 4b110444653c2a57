package mobilebench.core.thermal.policies

import mobilebench.core.documents.Aim
import mobilebench.core.thermal.Controller
import mobilebench.core.thermal.HOUR_NS
import mobilebench.core.thermal.NEVER
import mobilebench.core.thermal.Parameter
import mobilebench.core.thermal.Reading
import mobilebench.core.thermal.Reason
import mobilebench.core.thermal.SECOND_NS
import mobilebench.core.thermal.WidthCost

/**
 * `headroom`: by Android's own forecast of the thermal headroom.
 *
 * One width narrower where the forecast passes a limit, one wider where it has stayed well below it
 * for a time. A device that gives no forecast is left to the deadline.
 */
internal class Headroom(
    widths: List<WidthCost>,
    aim: Aim,
    deadlineNs: Long,
    parameters: Map<String, Double>,
) : Controller {
    private val limit = aim.headroom ?: parameters.getValue("limit")
    private val release = parameters.getValue("release")
    private val dwellNs = parameters.getValue("dwell_ns")
    private val quietNs = parameters.getValue("quiet_ns")
    private val staleNs = parameters.getValue("stale_ns")
    private val narrowest = widths.size - 1
    private val guard = Deadline(widths, deadlineNs)
    private var index = 0
    private var movedNs = NEVER
    private var lowSinceNs = NEVER
    private var readNs = NEVER

    override var reason = Reason.HOLD
        private set
    private var isOfGuard = false
    private var last = Reading()

    override val inputs: Map<String, Double>
        get() = when {
            isOfGuard -> guard.inputs
            reason == Reason.HOLD -> emptyMap()
            else -> last.known()
        }

    override fun decide(tNs: Long, index: Int, latencyNs: Long, reading: Reading?): Int {
        val allowed = guard.decide(tNs, index, latencyNs, reading)
        var why = Reason.HOLD
        if (reading != null && !reading.headroom.isNaN()) {
            readNs = tNs
            last = reading
            why = step(tNs, reading.headroom)
        } else if (readNs == NEVER || tNs - readNs > staleNs) {
            this.index = 0
            lowSinceNs = NEVER
        }
        isOfGuard = allowed > this.index
        reason = if (isOfGuard) guard.reason else why
        return if (isOfGuard) allowed else this.index
    }

    private fun step(tNs: Long, headroom: Double): Reason {
        if (headroom >= limit - release) {
            lowSinceNs = NEVER
        } else if (lowSinceNs == NEVER) {
            lowSinceNs = tNs
        }
        val waited = movedNs == NEVER || tNs - movedNs >= dwellNs
        if (headroom > limit && waited && index < narrowest) {
            index += 1
            movedNs = tNs
            return Reason.HEAT
        }
        if (lowSinceNs == NEVER || index == 0) return Reason.HOLD
        if (tNs - lowSinceNs >= quietNs) {
            index -= 1
            movedNs = tNs
            lowSinceNs = NEVER
            return Reason.COOLED
        }
        return Reason.HOLD
    }

    companion object {
        val PARAMETERS = listOf(
            // Headroom above which it narrows, unless the aim has one.
            Parameter("limit", 0.9, 0.0, 10.0),
            // How far below it has to stay to widen again.
            Parameter("release", 0.1, 0.0, 10.0),
            // Least time between two steps to narrower widths.
            Parameter("dwell_ns", 20.0 * SECOND_NS, 0.0, HOUR_NS),
            // Time that it has to stay below, to widen.
            Parameter("quiet_ns", 60.0 * SECOND_NS, 0.0, HOUR_NS),
            // Age at which a forecast counts no longer.
            Parameter("stale_ns", 30.0 * SECOND_NS, 0.0, HOUR_NS),
        )
    }
}
