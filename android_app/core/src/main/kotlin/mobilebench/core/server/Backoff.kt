package mobilebench.core.server

private const val FIRST_MS = 1_000L
private const val LONGEST_MS = 300_000L
private const val LONGEST_ASKED_MS = 3_600_000L
private const val ASKED_SPREAD = 0.1
private const val MOST_DOUBLINGS = 20

/**
 * How long to wait before another try: longer with each one, and never alike on two devices.
 *
 * The time is counted from now, so a wrong clock changes nothing.
 */
class Backoff(private val random: () -> Double = { Math.random() }) {
    private var tries = 0

    /** Forget earlier tries: the server has answered. */
    fun reset() {
        tries = 0
    }

    /** Return the milliseconds to wait; [askedMs] is what the server asked for, if it did. */
    fun nextMs(askedMs: Long? = null): Long = waitMs(tries++, random(), askedMs)
}

/**
 * Return the milliseconds before a try.
 *
 * [tries] came before in vain. [share] is drawn from 0 to 1. Half of the wait is drawn, and it is
 * never shorter than what the server asked for, up to an hour.
 */
fun waitMs(tries: Int, share: Double, askedMs: Long? = null): Long {
    val wholeMs = minOf(LONGEST_MS, FIRST_MS shl minOf(tries, MOST_DOUBLINGS))
    val ownMs = (wholeMs * (0.5 + share / 2)).toLong()
    if (askedMs == null) return ownMs
    val asked = minOf(askedMs, LONGEST_ASKED_MS)
    return maxOf(ownMs, asked + (asked * ASKED_SPREAD * share).toLong())
}
