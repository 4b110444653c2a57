package mobilebench.conformance

import mobilebench.core.documents.protocolOf
import mobilebench.core.documents.samplesOf
import mobilebench.core.json.Json
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.numbers.Deadlines
import mobilebench.core.numbers.Window
import mobilebench.core.numbers.deadlines
import mobilebench.core.numbers.headlineNs
import mobilebench.core.numbers.windows

/** Answers tasks of the kind `headline`. */
internal object Headline {
    fun answer(given: JsonObject): Json? {
        val protocol = protocolOf(given["protocol"] ?: return null)
        val samples = samplesOf(given["samples"] ?: return null)
        val windowNs = protocol.windowNs
        val isPaced = protocol.intervalNs != null
        return fields(
            "headline_ns" to (headlineNs(protocol, samples)?.let { JsonDouble(it) } ?: JsonNull),
            "windows" to JsonList(
                if (windowNs == null) emptyList() else windows(samples, windowNs).map(::written),
            ),
            "deadlines" to if (isPaced) written(deadlines(protocol, samples)) else JsonNull,
        )
    }

    private fun written(window: Window): Json = fields(
        "start_ns" to JsonInt(window.startNs),
        "count" to whole(window.count),
        "p50_ns" to JsonDouble(window.p50Ns),
        "p90_ns" to JsonDouble(window.p90Ns),
        "p99_ns" to JsonDouble(window.p99Ns),
    )

    private fun written(deadlines: Deadlines): Json = fields(
        "frames" to JsonInt(deadlines.frames),
        "on_time" to JsonInt(deadlines.onTime),
        "late" to JsonInt(deadlines.late),
        "dropped" to JsonInt(deadlines.dropped),
    )
}
