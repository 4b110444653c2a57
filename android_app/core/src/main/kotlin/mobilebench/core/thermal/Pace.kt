package mobilebench.core.thermal

/**
 * How much slower than cool the clock is now, and how likely a width is to be in time.
 *
 *     ratio    = latency / cool latency of the width that computed it
 *     pace     = median of the last five ratios: a lower clock moves it after three frames, and a
 *                single slow frame does not
 *     residual = the middle ratio of five / their pace: what remains is noise, not a step of the
 *                clock
 *     chance   = share of the last residuals with which a width would be in time at this pace
 */
internal class Pace(private val coolNs: LongArray) {
    private val ratios = Ring(WINDOW)
    private val residuals = Ring(RESIDUALS)

    /** 1 at the cool clock, 1.25 where everything takes a quarter longer. */
    var value = 1.0
        private set

    init {
        repeat(WINDOW) { ratios.add(1.0) }
        // From both ends by turns, so that the assumption fades from its edges.
        for (at in 0 until RESIDUALS / 2) {
            residuals.add(assumed(at))
            residuals.add(assumed(RESIDUALS - 1 - at))
        }
    }

    /** Take in the latency of a frame that the width at [index] computed. */
    fun add(index: Int, latencyNs: Long) {
        ratios.add(latencyNs.toDouble() / coolNs[index])
        value = ratios.ranked(WINDOW / 2)
        residuals.add(ratios.before(WINDOW / 2) / value)
    }

    /** Return how likely a width is to be in time, 0 to 1. */
    fun chance(index: Int, deadlineNs: Long): Double =
        residuals.countUpTo(deadlineNs / (coolNs[index] * value)).toDouble() / RESIDUALS

    private fun assumed(at: Int): Double = 1 + PRIOR * (2.0 * at / (RESIDUALS - 1) - 1)

    private companion object {
        const val WINDOW = 5
        const val RESIDUALS = 64

        /** Noise that is assumed before any is seen: residuals from 1 less this to 1 and this. */
        const val PRIOR = 0.05
    }
}
