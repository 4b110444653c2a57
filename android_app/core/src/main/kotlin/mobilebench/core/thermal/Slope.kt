package mobilebench.core.thermal

/** How fast a temperature rises; 0 for a sensor of coarse steps. */
internal class Slope {
    var cPerS = 0.0
        private set

    private var smallestC = Double.POSITIVE_INFINITY
    private var lastNs = NEVER
    private var beforeC = 0.0

    /** Take in a temperature. */
    fun add(tNs: Long, degrees: Double) {
        if (lastNs != NEVER && tNs > lastNs) {
            val changeC = degrees - beforeC
            val seconds = (tNs - lastNs).toDouble() / SECOND_NS
            if (Math.abs(changeC) > NO_CHANGE_C) smallestC = minOf(smallestC, Math.abs(changeC))
            cPerS += minOf(1.0, seconds / SLOPE_S) * (changeC / seconds - cPerS)
            if (smallestC > FINE_C) cPerS = 0.0
        }
        lastNs = tNs
        beforeC = degrees
    }

    /** Forget what was seen. */
    fun clear() {
        cPerS = 0.0
        smallestC = Double.POSITIVE_INFINITY
        lastNs = NEVER
        beforeC = 0.0
    }

    private companion object {
        const val NO_CHANGE_C = 1e-6

        /** Steps of a sensor up to which its slope says something. */
        const val FINE_C = 0.25

        /** Time constant of the slope. */
        const val SLOPE_S = 15.0
    }
}
