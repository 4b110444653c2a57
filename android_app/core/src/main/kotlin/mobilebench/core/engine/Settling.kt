package mobilebench.core.engine

import mobilebench.core.documents.Convergence

/** Detects when a fast and a slow moving average of the latency agree; see [Convergence]. */
internal class Settling(private val rule: Convergence) {
    private var fast = 0.0
    private var slow = 0.0
    private var agreed = 0
    private var isFirst = true

    /** Add one latency; return true once latencies have converged. */
    fun add(latencyNs: Long): Boolean {
        if (isFirst) {
            fast = latencyNs.toDouble()
            slow = fast
            isFirst = false
        } else {
            fast += rule.fast * (latencyNs - fast)
            slow += rule.slow * (latencyNs - slow)
        }
        val isNear = Math.abs(fast / slow - 1.0) <= rule.tolerance
        agreed = if (isNear) agreed + 1 else 0
        return agreed > rule.consecutive
    }
}
