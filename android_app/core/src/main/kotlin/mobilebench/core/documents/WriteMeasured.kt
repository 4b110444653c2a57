package mobilebench.core.documents

import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonDouble
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonList
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

fun Device.toJson(): JsonObject = fieldsOf {
    add("id", id)
    add("kind", kind)
    add("model", model)
    add("soc", soc)
    add("os", os)
    add("os_version", osVersion)
    add("os_build", osBuild)
    add("ram_bytes", ramBytes)
    add("cores", cores)
    add("clusters", clusters.orEmpty()) {
        fieldsOf {
            add("count", it.count)
            add("max_mhz", it.maxMhz)
        }
    }
    add("boot_age_ns", bootAgeNs)
}

/** Write a reading. A sensor that reads what cannot be is not known, as is one that reads NaN. */
fun DeviceState.toJson(): JsonObject = fieldsOf {
    fun addPlausible(name: String, value: Double?) =
        add(name, plausible("DeviceState", name, value))
    add("t_ns", tNs)
    add("thermal", thermal)
    add("temperatures_c", temperaturesC?.filterValues { it in CELSIUS })
    addPlausible("headroom", headroom)
    add("headroom_age_ns", headroomAgeNs)
    addPlausible("load_average", loadAverage)
    addPlausible("busy_fraction", busyFraction)
    addPlausible("cpu_mhz", cpuMhz)
    add("governor", governor)
    add("low_power_mode", lowPowerMode)
    addPlausible("battery_fraction", batteryFraction)
    add("charging", charging)
    addPlausible("cpu_cap_mhz", cpuCapMhz)
    add("unreadable", JsonObject(unreadable.mapValues { (_, why) -> JsonText(why.word) }))
}

fun RuntimeInfo.toJson(): JsonObject = fieldsOf {
    add("name", name)
    add("version", version)
    add("compute_unit_requested", computeUnitRequested)
    add("compute_unit_evidence", computeUnitEvidence)
    addAlways("delegate", delegate?.let { JsonText(it) })
    add("threads", threads)
    add("settings", JsonObject(settings.mapValues { (_, value) -> JsonText(value) }))
}

fun Application.toJson(): JsonObject = fieldsOf {
    add("name", name)
    add("version", version)
    add("build", build)
    add("runtime_build", runtimeBuild)
}

fun Samples.toJson(): JsonObject = fieldsOf {
    addAlways("t_ns", wholes(tNs))
    addAlways("latency_ns", wholes(latencyNs))
    addAlways("phase", spans(size) { JsonText(phase[it].word) })
    addAlways("round", spans(size) { JsonInt(round[it].toLong()) })
    add("width", spans(width.size) { JsonDouble(width[it]) })
}

private fun wholes(values: LongArray) = JsonList(values.map { JsonInt(it) })

/** Write a column that seldom changes as spans of equal values. */
private inline fun spans(size: Int, value: (Int) -> Json): JsonList {
    val spans = ArrayList<Json>()
    var begin = 0
    for (index in 1..size) {
        if (index < size && value(index) == value(begin)) continue
        val count = JsonInt((index - begin).toLong())
        spans += JsonObject(linkedMapOf("count" to count, "value" to value(begin)))
        begin = index
    }
    return JsonList(spans)
}

fun Load.toJson(): JsonObject = fieldsOf {
    add("kind", kind)
    add("ns", ns)
}

fun GateLog.toJson(): JsonObject = fieldsOf {
    add("waited_ns", waitedNs)
    addAlways("start", start?.let { JsonText(it.word) })
    add("open", open)
}

fun Event.toJson(): JsonObject = fieldsOf {
    add("t_ns", tNs)
    add("kind", kind)
    add("from_width", fromWidth)
    add("to_width", toWidth)
    add("readings", readings)
    add("note", note)
}

fun Scheduling.toJson(): JsonObject = fieldsOf {
    add("t_ns", tNs)
    add("foreground", foreground)
    add("screen_on", screenOn)
    add("importance", importance)
    add("cpuset", cpuset)
    add("affinity", affinity.orEmpty()) { JsonInt(it.toLong()) }
    add("priority", priority)
    add("qos", qos)
    add("fixed_performance", fixedPerformance)
}

fun UnitParity.toJson(): JsonObject = fieldsOf {
    add("unit", unit)
    addAlways("outputs", JsonList(outputs.map {
        fieldsOf {
            add("name", it.name)
            addAlways("max_relative_error", it.maxRelativeError?.let(::jsonOrNull))
            add("limit", it.limit)
        }
    }))
}

fun PlacedOperation.toJson(): JsonObject = fieldsOf {
    add("name", name)
    add("kind", kind)
    addAlways("unit", unit?.let { JsonText(it.word) })
    add("possible", possible) { JsonText(it.word) }
    add("cost", cost)
}

fun UnitTiming.toJson(): JsonObject = fieldsOf {
    add("unit", unit)
    add("p50_ns", p50Ns)
    add("samples", samples)
}

fun Power.toJson(): JsonObject = fieldsOf {
    addAlways("t_ns", JsonList(readings.map { JsonInt(it.tNs) }))
    addAlways("level", JsonList(readings.map {
        plausible("Power", "level", it.level)?.let(::jsonOrNull) ?: JsonNull
    }))
    addAlways("current", JsonList(readings.map { whole("current", it.current) }))
    addAlways("voltage_mv", JsonList(readings.map { whole("voltage_mv", it.voltageMv) }))
    addAlways("charging", JsonList(readings.map {
        it.charging?.let { on -> JsonBool(on) } ?: JsonNull
    }))
    add("current_unit", currentUnit)
    add("discharging", discharging)
    add("counter_trusted", counterTrusted)
    add("doubts", doubts) { JsonText(it) }
}

private fun whole(name: String, value: Long?): Json =
    value?.takeIf { plausible("Power", name, it.toDouble()) != null }?.let { JsonInt(it) }
        ?: JsonNull

fun Failure.toJson(): JsonObject = fieldsOf {
    add("kind", "failure")
    add("stage", stage)
    add("error", error)
    add("message", message)
    add("log_tail", logTail.ifEmpty { null })
    add("advice", advice)
}

private fun Loads.toJson(): JsonObject = fieldsOf {
    add("first_ns", firstNs)
    add("warm_ns", wholes(warmNs))
    add("first_ever_ns", firstEverNs)
    add("cold_ns", wholes(coldNs))
}

fun Measurement.toJson(): JsonObject = fieldsOf {
    add("kind", "measurement")
    add("runtime", runtime.toJson())
    add("samples", samples.toJson())
    add("loads", loads.toJson())
    add("memory", fieldsOf {
        add("peak_bytes", memory.peakBytes)
        add("before_load_bytes", memory.beforeLoadBytes)
    })
    add("before", before.toJson())
    add("after", after.toJson())
    add("gates", gates) { it.toJson() }
    add("states", states) { it.toJson() }
    add("events", events) { it.toJson() }
    add("power", power?.toJson())
    add("scheduling", scheduling) { it.toJson() }
    add("application", application?.toJson())
    add("parity", parity) { it.toJson() }
    addPlacement(placement)
    add("unit_timings", unitTimings) { it.toJson() }
    add("stopped", stopped)
    add("cut_off", cutOff)
}

/** Add a plan, an empty one too: it is not the same as none. */
internal fun FieldsToWrite.addPlacement(placement: List<PlacedOperation>?) {
    if (placement != null) addAlways("placement", JsonList(placement.map { it.toJson() }))
}
