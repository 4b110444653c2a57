package mobilebench.core.thermal.policies

import mobilebench.core.thermal.Controller
import mobilebench.core.thermal.Reading
import mobilebench.core.thermal.Reason

/** `fixed`: the widest network throughout; what every other policy is shown beside. */
internal class Fixed : Controller {
    override val reason = Reason.HOLD
    override val inputs: Map<String, Double> = emptyMap()

    override fun decide(tNs: Long, index: Int, latencyNs: Long, reading: Reading?): Int = 0
}
