package mobilebench.core.diagnoses

import mobilebench.core.documents.DeviceState
import mobilebench.core.documents.Samples
import mobilebench.core.numbers.doubles
import mobilebench.core.numbers.latenciesNs
import mobilebench.core.numbers.mean
import mobilebench.core.numbers.median
import mobilebench.core.numbers.places

/**
 * Return whether latency rises along with a temperature.
 *
 * Both are compared by rank, from one reading to the next.
 */
internal fun drifts(samples: Samples, states: List<DeviceState>): Boolean {
    if (states.size < DRIFT_STATES) return false
    if (lastOverFirst(doubles(latenciesNs(samples)), 4) <= DRIFT_RATIO) return false
    val spans = mediansBetween(samples, states)
    val sensors = spans.flatMapTo(HashSet()) { (state, _) ->
        state.temperaturesC?.keys ?: emptySet()
    }
    return sensors.any { sensor ->
        val read = spans.mapNotNull { (state, medianNs) ->
            state.temperaturesC?.get(sensor)?.let { Pair(it, medianNs) }
        }
        read.size >= DRIFT_STATES && rankCorrelation(
            DoubleArray(read.size) { read[it].first },
            DoubleArray(read.size) { read[it].second },
        ) > DRIFT_CORRELATION
    }
}

/** Return each reading with the median of the samples up to the next, where there are samples. */
private fun mediansBetween(
    samples: Samples,
    states: List<DeviceState>,
): List<Pair<DeviceState, Double>> {
    val measured = places(samples)
    val spans = ArrayList<Pair<DeviceState, Double>>()
    var begin = 0
    for ((state, following) in states.zipWithNext()) {
        while (begin < measured.size && samples.tNs[measured[begin]] < state.tNs) begin++
        var end = begin
        while (end < measured.size && samples.tNs[measured[end]] < following.tNs) end++
        if (end > begin) {
            val span = LongArray(end - begin) { samples.latencyNs[measured[begin + it]] }
            spans += Pair(state, median(doubles(span)))
        }
        begin = end
    }
    return spans
}

/**
 * Return Spearman's rank correlation, with ties in the order they come.
 *
 * 0 where one side does not vary.
 */
internal fun rankCorrelation(first: DoubleArray, second: DoubleArray): Double {
    if (first.all { it == first[0] } || second.all { it == second[0] }) return 0.0
    val one = centredRanks(first)
    val other = centredRanks(second)
    return dot(one, other) / (Math.sqrt(dot(one, one)) * Math.sqrt(dot(other, other)))
}

private fun centredRanks(values: DoubleArray): DoubleArray {
    val order = values.indices.sortedBy { values[it] } // stable
    val ranks = DoubleArray(values.size)
    for ((rank, at) in order.withIndex()) ranks[at] = rank.toDouble()
    val middle = mean(ranks)
    return DoubleArray(ranks.size) { ranks[it] - middle }
}

private fun dot(one: DoubleArray, other: DoubleArray): Double =
    one.indices.sumOf { one[it] * other[it] }

/** Readings below which they show no trend. */
private const val DRIFT_STATES = 10
private const val DRIFT_RATIO = 1.05
private const val DRIFT_CORRELATION = 0.7
