package mobilebench.core.diagnoses

import mobilebench.core.numbers.mean
import mobilebench.core.numbers.median
import mobilebench.core.numbers.percentileOfOrdered
import mobilebench.core.numbers.sum

/** Return whether slow samples are much slower than the median. */
internal fun isNoisy(measured: DoubleArray): Boolean {
    if (measured.isEmpty()) return false
    val ordered = measured.copyOf().apply { sort() }
    return percentileOfOrdered(ordered, 90.0) > NOISY_P90_OVER_P50 * median(measured)
}

/** Return whether neighbouring values are far apart, or all values are equal. */
internal fun isCoarse(measured: DoubleArray): Boolean {
    if (measured.size < ENOUGH) return false
    val ordered = measured.copyOf().apply { sort() }
    val steps = (1 until ordered.size).map { ordered[it] - ordered[it - 1] }.filter { it > 0 }
    val least = steps.minOrNull() ?: return true
    return least > COARSE_STEP * median(measured)
}

/** Return whether the best cut into two clusters leaves them far apart. */
internal fun isBimodal(measured: DoubleArray): Boolean {
    if (measured.size < ENOUGH) return false
    val ordered = measured.copyOf().apply { sort() }
    val smallest = maxOf(2, Math.rint(SMALLER_MODE * ordered.size).toInt())
    if (smallest > ordered.size - smallest) return false
    val cut = bestCut(ordered, smallest)
    val low = mean(ordered, 0, cut)
    val high = mean(ordered, cut)
    val spread = Math.sqrt((variance(ordered, 0, cut) + variance(ordered, cut)) / 2)
    return high - low > MODES_APART * spread && high > MODES_RATIO * low
}

/** Return where two clusters are the farthest apart, each of at least [smallest] values. */
private fun bestCut(ordered: DoubleArray, smallest: Int): Int {
    val count = ordered.size
    val sums = DoubleArray(count + 1)
    for (at in 0 until count) sums[at + 1] = sums[at] + ordered[at]
    var best = smallest
    var most = Double.NEGATIVE_INFINITY
    for (cut in smallest..count - smallest) {
        val low = sums[cut] / cut
        val high = (sums[count] - sums[cut]) / (count - cut)
        val apart = (cut.toLong() * (count - cut)) * ((high - low) * (high - low))
        if (apart > most) {
            most = apart
            best = cut
        }
    }
    return best
}

private fun variance(values: DoubleArray, begin: Int, end: Int = values.size): Double {
    val middle = mean(values, begin, end)
    val squares = DoubleArray(end - begin) {
        val distance = values[begin + it] - middle
        distance * distance
    }
    return sum(squares) / squares.size
}

/**
 * Return the median of the last part of a series over that of its first part.
 *
 * 1 where the parts hold too few values.
 */
internal fun lastOverFirst(latencies: DoubleArray, parts: Int): Double {
    val length = latencies.size / parts
    if (length < ENOUGH / parts) return 1.0
    val last = latencies.copyOfRange(latencies.size - length, latencies.size)
    return median(last) / median(latencies.copyOfRange(0, length))
}

/**
 * The 90th percentile over the median.
 *
 * A quiet 2-core machine showed 1.01 to 1.12, at times up to 1.45, with three runtimes; a loaded
 * one above 2.
 */
private const val NOISY_P90_OVER_P50 = 1.5

/** The step between neighbouring values of a coarse timer, as a share of the median. */
private const val COARSE_STEP = 0.02

/** Samples below which the shape of their distribution shows nothing. */
private const val ENOUGH = 20

/**
 * Two clusters: their means this many of their deviations apart.
 *
 * Ashman, Bird and Zepf, 1994, take 2 for any two; cutting one normal distribution in half gives
 * 2.7, a uniform one 3.5.
 */
private const val MODES_APART = 4.0

/** Two clusters: far enough apart to matter. */
private const val MODES_RATIO = 1.1
private const val SMALLER_MODE = 0.1
