package mobilebench.core.numbers

/** Summary of one run's measured samples, computed when shown and never stored. */
data class Summary(
    val count: Int,
    val minNs: Long,
    val meanNs: Double,
    val p50Ns: Double,
    val p90Ns: Double,
    val p99Ns: Double,
)

/** Summarise at least one latency. */
fun summarise(latenciesNs: LongArray): Summary {
    require(latenciesNs.isNotEmpty()) { "there are no samples to summarise" }
    val ordered = doubles(latenciesNs).apply { sort() }
    return Summary(
        count = latenciesNs.size,
        minNs = latenciesNs.minOrNull() ?: 0,
        meanNs = mean(doubles(latenciesNs)),
        p50Ns = percentileOfOrdered(ordered, 50.0),
        p90Ns = percentileOfOrdered(ordered, 90.0),
        p99Ns = percentileOfOrdered(ordered, 99.0),
    )
}

/** Compute a percentile, linear between the two nearest samples (Hyndman-Fan 7). */
fun percentile(latenciesNs: LongArray, percent: Double): Double =
    percentileOfOrdered(doubles(latenciesNs).apply { sort() }, percent)

/** Compute a percentile of numbers in order of their size, of which there is at least one. */
fun percentileOfOrdered(ordered: DoubleArray, percent: Double): Double {
    require(ordered.isNotEmpty()) { "there are no numbers to take a percentile of" }
    val place = (ordered.size - 1) * (percent / 100)
    val low = Math.floor(place).toInt()
    val share = place - low
    val first = ordered[low]
    val second = ordered[minOf(low + 1, ordered.size - 1)]
    // From the nearer one, so that rounding errors are small at both ends.
    return if (share < 0.5) first + (second - first) * share
    else second - (second - first) * (1 - share)
}

/** Return the median of at least one number. */
fun median(values: DoubleArray): Double {
    require(values.isNotEmpty()) { "there are no numbers to take a median of" }
    val ordered = values.copyOf().apply { sort() }
    val middle = ordered.size / 2
    return if (ordered.size % 2 == 1) ordered[middle]
    else (ordered[middle - 1] + ordered[middle]) / 2
}

/** Compute the mean without the [lowest] smallest and the [highest] largest values. */
fun trimmedMean(values: DoubleArray, lowest: Int, highest: Int): Double {
    require(lowest >= 0 && highest >= 0 && lowest + highest < values.size) {
        "${values.size} values cannot do without $lowest and $highest"
    }
    val ordered = values.copyOf().apply { sort() }
    return mean(ordered, lowest, values.size - highest)
}

/** The ends of an interval. */
data class Interval(val low: Double, val high: Double)

/**
 * Compute the score interval of a share at 95 %, without continuity correction.
 *
 * The source is E. B. Wilson, JASA 22, 1927. Unlike the usual interval it stays within 0..1 and has
 * a width at 0 and at 1.
 */
fun wilsonInterval(hits: Long, count: Long): Interval {
    require(count > 0 && hits in 0..count) { "$hits of $count is not a share" }
    val share = hits.toDouble() / count
    val middle = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    val edge = Z / (2 * count)
    val half = Z * Math.sqrt(share * (1 - share) / count + edge * edge) / (1 + Z * Z / count)
    // At the ends the two terms are equal except for rounding.
    return Interval(
        low = if (hits == 0L) 0.0 else middle - half,
        high = if (hits == count) 1.0 else middle + half,
    )
}

/** The number of standard deviations that 95 % of normal values are within. */
private const val Z = 1.959963984540054
