package mobilebench.core.documents

import mobilebench.core.json.Json
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonObject
import mobilebench.core.json.LARGEST_WHOLE
import mobilebench.core.json.Mismatch
import mobilebench.core.json.ecmaScript

/** The smallest width of a network, as a share of its channels. */
const val LEAST_WIDTH = 0.01

private const val LARGEST = LARGEST_WHOLE.toDouble()
private const val MOST_MHZ = 20_000.0
private const val MOST_HEADROOM = 10.0

/** Of a temperature of a device. */
internal val CELSIUS = -40.0..150.0

private const val MOST_UA = 50_000_000.0

/** Fields of one object that have the same range; a field may be null, or a list of numbers. */
private class Range(vararg val names: String, val least: Double = 0.0, val most: Double = LARGEST) {
    fun check(fields: JsonObject) {
        for (name in names) fields[name]?.let { check(name, it) }
    }

    private fun check(name: String, value: Json) {
        when (value) {
            is JsonList -> value.values.forEach { check(name, it) }
            // An entry of a column in spans.
            is JsonObject -> value["value"]?.let { check(name, it) }
            is JsonInt -> check(name, value.value.toDouble(), value.value.toString())
            is JsonDouble -> check(name, value.value, ecmaScript(value.value))
            else -> Unit
        }
    }

    private fun check(name: String, number: Double, shown: String) {
        if (number in least..most) return
        val range = "from ${ecmaScript(least)} to ${ecmaScript(most)}"
        throw Mismatch("$name is $shown; it has to be $range")
    }
}

private fun countOf(vararg names: String) = Range(*names, least = 1.0)

private fun shareOf(vararg names: String) = Range(*names, most = 1.0)

private fun widthOf(vararg names: String) = Range(*names, least = LEAST_WIDTH, most = 1.0)

private fun clockOf(vararg names: String) = Range(*names, most = MOST_MHZ)

private val RANGES: Map<String, List<Range>> = mapOf(
    "VariantAccuracy" to listOf(Range("top1", most = 100.0)),
    "Variant" to listOf(widthOf("width")),
    "ExpectedOutput" to listOf(Range("limit", "half_limit")),
    "ParityCheck" to listOf(countOf("batches")),
    "Limits" to
        listOf(countOf("time_ns"), Range("hottest_c", most = 150.0), shareOf("least_battery")),
    "Reporting" to listOf(countOf("every_ns")),
    "Aim" to listOf(
        countOf("deadline_ns"),
        Range("headroom", most = MOST_HEADROOM),
        Range("skin_c", "battery_c", most = 100.0),
        Range("energy_mj"),
    ),
    "Protocol" to listOf(
        countOf("rounds", "inferences", "interval_ns", "sense_ns", "window_ns"),
        Range("min_duration_ns", "max_duration_ns", "cool_down_ns", "trim"),
    ),
    "Job" to listOf(countOf("threads")),
    "Cores" to listOf(countOf("count"), clockOf("max_mhz")),
    "Device" to listOf(Range("ram_bytes", "cores", "boot_age_ns")),
    "DeviceState" to listOf(
        Range("t_ns", "load_average", "headroom_age_ns"),
        clockOf("cpu_mhz", "cpu_cap_mhz"),
        Range("headroom", most = MOST_HEADROOM),
        shareOf("busy_fraction", "battery_fraction"),
    ),
    "RuntimeInfo" to listOf(countOf("threads")),
    "Scheduling" to
        listOf(Range("t_ns", "affinity"), Range("priority", least = -20.0, most = 19.0)),
    "Event" to listOf(Range("t_ns"), widthOf("from_width", "to_width")),
    "PlacedOperation" to listOf(shareOf("cost")),
    "UnitTiming" to listOf(countOf("samples")),
    "OutputParity" to listOf(Range("max_relative_error", "limit")),
    "Power" to listOf(
        Range("t_ns"),
        shareOf("level"),
        Range("current", least = -MOST_UA, most = MOST_UA),
        Range("voltage_mv", least = 500.0, most = 60_000.0),
    ),
    "Load" to listOf(Range("ns")),
    "Start" to listOf(Range("t_ns", "round", "before_load_bytes")),
    "Line" to listOf(Range("n", "peak_bytes", "round_ended")),
    "Samples" to listOf(Range("t_ns", "latency_ns", "round"), widthOf("width")),
    "Loads" to listOf(Range("first_ns", "warm_ns", "first_ever_ns", "cold_ns")),
    "GateLog" to listOf(Range("waited_ns")),
    "Memory" to listOf(Range("peak_bytes", "before_load_bytes")),
    "Session" to listOf(Range("position", "pair")),
)

/** Return a reading, or null where it is outside the range that its field has in documents. */
internal fun plausible(name: String, field: String, value: Double?): Double? {
    val range = RANGES.getValue(name).first { field in it.names }
    return value?.takeIf { it in range.least..range.most }
}

/** Require the numbers of an object to be in the ranges of their fields. Throws [Mismatch]. */
internal fun requireRanges(name: String, fields: JsonObject) {
    RANGES[name]?.forEach { it.check(fields) }
}
