package mobilebench.conformance

import mobilebench.core.json.Json
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonObject
import mobilebench.core.numbers.summarise
import mobilebench.core.numbers.trimmedMean
import mobilebench.core.numbers.wilsonInterval

/** Answers tasks of the kind `stats`. */
internal object Stats {
    fun answer(given: JsonObject): Json? = when (given.text("function")) {
        "summary" -> summary(given.wholes("latencies_ns"))
        "trimmed mean" -> {
            val lowest = given.whole("lowest").toInt()
            val mean = trimmedMean(given.numbers("values"), lowest, given.whole("highest").toInt())
            fields("mean" to JsonDouble(mean))
        }
        "share" -> {
            val interval = wilsonInterval(given.whole("hits"), given.whole("count"))
            fields("low" to JsonDouble(interval.low), "high" to JsonDouble(interval.high))
        }
        else -> null
    }

    private fun summary(latenciesNs: LongArray): Json {
        val summary = summarise(latenciesNs)
        return fields(
            "count" to whole(summary.count),
            "min_ns" to JsonInt(summary.minNs),
            "mean_ns" to JsonDouble(summary.meanNs),
            "p50_ns" to JsonDouble(summary.p50Ns),
            "p90_ns" to JsonDouble(summary.p90Ns),
            "p99_ns" to JsonDouble(summary.p99Ns),
        )
    }
}
