package mobilebench.core.screens

import mobilebench.core.documents.Headline
import mobilebench.core.documents.Phase
import mobilebench.core.documents.Samples

/** Numbers of the measured samples, in nanoseconds. */
data class Summary(
    val count: Int,
    val headlineNs: Double,
    val p50Ns: Double,
    val p90Ns: Double,
    val leastNs: Double,
    val mostNs: Double,
)

/** Return the numbers of the samples that count; null where there are none. */
fun summary(samples: Samples, headline: Headline, trim: Int): Summary? {
    val sorted = latencies(samples, null)
    if (sorted.isEmpty()) return null
    return Summary(
        count = sorted.size,
        headlineNs = when (headline) {
            Headline.MEDIAN -> percentile(sorted, 50.0)
            Headline.P90 -> percentile(sorted, 90.0)
            Headline.TRIMMED_MEAN -> trimmedMean(samples, trim) ?: return null
        },
        p50Ns = percentile(sorted, 50.0),
        p90Ns = percentile(sorted, 90.0),
        leastNs = sorted.first(),
        mostNs = sorted.last(),
    )
}

/** The mean over the rounds of each round's mean without its lowest and highest samples. */
private fun trimmedMean(samples: Samples, trim: Int): Double? {
    val means = samples.round.distinct().mapNotNull { round ->
        val sorted = latencies(samples, round)
        val kept = sorted.drop(trim).dropLast(trim)
        kept.takeIf { it.isNotEmpty() }?.average()
    }
    return means.takeIf { it.isNotEmpty() }?.average()
}

private fun latencies(samples: Samples, round: Int?): DoubleArray {
    val kept = DoubleArray(samples.size)
    var count = 0
    for (index in 0 until samples.size) {
        if (samples.phase[index] != Phase.MEASURED) continue
        if (round != null && samples.round[index] != round) continue
        kept[count++] = samples.latencyNs[index].toDouble()
    }
    return kept.copyOf(count).also { it.sort() }
}
