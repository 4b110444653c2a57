package mobilebench.core.thermal

/** Follows whether the clock is capped, by latencies, or by the clock where it can be read. */
internal class CapWatch(private val coolNs: LongArray) {
    private val ratios = Ring(FRAMES)
    private var cap = Double.NaN

    var capped = false
        private set

    /**
     * Take in an observation; return whether a cap has just begun.
     *
     * Without [trustLatency] only a clock that can be read counts, since the governor makes frames
     * slow for other reasons.
     */
    fun see(index: Int, latencyNs: Long, reading: Reading?, trustLatency: Boolean): Boolean {
        if (reading != null && !reading.cap.isNaN()) cap = reading.cap
        if (latencyNs != NO_FRAME) ratios.add(latencyNs.toDouble() / coolNs[index])
        val before = capped
        if (!cap.isNaN()) {
            capped = cap < FULL
        } else if (!trustLatency) {
            capped = false
        } else if (ratios.size == FRAMES) {
            capped = ratios.ranked(FRAMES / 2) > if (before) FREE else CAPPED
        }
        return capped && !before
    }

    private companion object {
        const val FRAMES = 31

        /** Median ratio to the cool latency from which the clock counts as capped. */
        const val CAPPED = 1.06

        /** Median ratio up to which a capped clock counts as free again. */
        const val FREE = 1.03
        const val FULL = 0.98
    }
}
