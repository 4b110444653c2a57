package mobilebench.core.documents

import mobilebench.core.json.Json
import mobilebench.core.json.JsonBool
import mobilebench.core.json.JsonInt
import mobilebench.core.json.JsonNull
import mobilebench.core.json.JsonObject
import mobilebench.core.json.JsonText

// Each reads an object that fits its schema and the rules, and has its defaults.

internal fun readDevice(device: JsonObject) = Device(
    id = device.text("id"),
    kind = device.word("kind"),
    model = device.text("model"),
    soc = device.textOrNull("soc"),
    os = device.text("os"),
    osVersion = device.text("os_version"),
    osBuild = device.textOrNull("os_build"),
    ramBytes = device.wholeOrNull("ram_bytes"),
    cores = device.countOrNull("cores"),
    clusters = device.known("clusters")?.let {
        device.parts("clusters") { Cores(it.count("count"), it.numberOrNull("max_mhz")) }
    },
    bootAgeNs = device.wholeOrNull("boot_age_ns"),
)

internal fun readState(state: JsonObject) = DeviceState(
    tNs = state.whole("t_ns"),
    thermal = state.maybeWord("thermal"),
    temperaturesC = state.known("temperatures_c")?.let { state.numbers("temperatures_c") },
    headroom = state.numberOrNull("headroom"),
    headroomAgeNs = state.wholeOrNull("headroom_age_ns"),
    loadAverage = state.numberOrNull("load_average"),
    busyFraction = state.numberOrNull("busy_fraction"),
    cpuMhz = state.numberOrNull("cpu_mhz"),
    governor = state.textOrNull("governor"),
    lowPowerMode = state.flagOrNull("low_power_mode"),
    batteryFraction = state.numberOrNull("battery_fraction"),
    charging = state.flagOrNull("charging"),
    cpuCapMhz = state.numberOrNull("cpu_cap_mhz"),
    unreadable = state.part("unreadable").fields.mapValues { (_, word) ->
        asWord((word as JsonText).value)
    },
)

internal fun readRuntime(runtime: JsonObject) = RuntimeInfo(
    name = runtime.text("name"),
    version = runtime.text("version"),
    computeUnitRequested = runtime.word("compute_unit_requested"),
    computeUnitEvidence = runtime.word("compute_unit_evidence"),
    delegate = runtime.textOrNull("delegate"),
    threads = runtime.count("threads"),
    settings = runtime.texts("settings"),
)

internal fun readApplication(application: JsonObject) = Application(
    name = application.text("name"),
    version = application.text("version"),
    build = application.word("build"),
    runtimeBuild = application.maybeWord("runtime_build"),
)

/** Read columns of samples; their rules have seen that the spans are as long as the times. */
internal fun readSamples(samples: JsonObject): Samples {
    val size = samples.list("t_ns").size
    val phases = samples.parts("phase") { Pair(it.count("count"), it.word<Phase>("value")) }
    val rounds = samples.parts("round") { Pair(it.count("count"), it.count("value")) }
    val widths = samples.parts("width") { Pair(it.count("count"), it.number("value")) }
    val phase = phases.flatMap { (count, value) -> List(count) { value } }
    val width = DoubleArray(if (widths.isEmpty()) 0 else size)
    val round = IntArray(size)
    expand(rounds) { index, value -> round[index] = value }
    expand(widths) { index, value -> width[index] = value }
    return Samples(
        samples.wholes("t_ns"), samples.wholes("latency_ns"), phase.toTypedArray(), round, width
    )
}

private fun <T> expand(spans: List<Pair<Int, T>>, put: (Int, T) -> Unit) {
    var index = 0
    for ((count, value) in spans) repeat(count) { put(index++, value) }
}

internal fun readLoad(load: JsonObject) = Load(load.word("kind"), load.whole("ns"))

internal fun readGate(gate: JsonObject) =
    GateLog(gate.whole("waited_ns"), gate.maybeWord("start"), gate.flag("open"))

internal fun readEvent(event: JsonObject) = Event(
    tNs = event.whole("t_ns"),
    kind = event.word("kind"),
    fromWidth = event.numberOrNull("from_width"),
    toWidth = event.numberOrNull("to_width"),
    readings = event.numbers("readings"),
    note = event.textOrNull("note"),
)

internal fun readScheduling(scheduling: JsonObject) = Scheduling(
    tNs = scheduling.whole("t_ns"),
    foreground = scheduling.flagOrNull("foreground"),
    screenOn = scheduling.flagOrNull("screen_on"),
    importance = scheduling.textOrNull("importance"),
    cpuset = scheduling.textOrNull("cpuset"),
    affinity = scheduling.known("affinity")?.let {
        scheduling.wholes("affinity").map { core -> core.toInt() }
    },
    priority = scheduling.countOrNull("priority"),
    qos = scheduling.textOrNull("qos"),
    fixedPerformance = scheduling.flagOrNull("fixed_performance"),
)

internal fun readParity(parity: JsonObject) = UnitParity(
    parity.word("unit"),
    parity.parts("outputs") {
        OutputParity(it.text("name"), it.numberOrNull("max_relative_error"), it.number("limit"))
    },
)

internal fun readOperation(operation: JsonObject) = PlacedOperation(
    name = operation.text("name"),
    kind = operation.text("kind"),
    unit = operation.maybeWord("unit"),
    possible = operation.list("possible").map { asWord((it as JsonText).value) },
    cost = operation.numberOrNull("cost"),
)

internal fun readTiming(timing: JsonObject) =
    UnitTiming(timing.word("unit"), timing.number("p50_ns"), timing.count("samples"))

internal fun readPower(power: JsonObject): Power {
    val times = power.wholes("t_ns")
    fun column(name: String): List<Json?> = power.list(name).map { it.takeIf { it !is JsonNull } }
    val levels = column("level")
    val currents = column("current")
    val voltages = column("voltage_mv")
    val chargers = column("charging")
    return Power(
        readings = times.indices.map {
            PowerReading(
                times[it],
                levels[it]?.asNumber(),
                (currents[it] as JsonInt?)?.value,
                (voltages[it] as JsonInt?)?.value,
                (chargers[it] as JsonBool?)?.value,
            )
        },
        currentUnit = power.word("current_unit"),
        discharging = power.word("discharging"),
        counterTrusted = power.flagOrNull("counter_trusted"),
        doubts = power.list("doubts").map { (it as JsonText).value },
    )
}

internal fun readFailure(failure: JsonObject) = Failure(
    stage = failure.word("stage"),
    error = failure.text("error"),
    message = failure.text("message"),
    logTail = failure.text("log_tail"),
    advice = failure.textOrNull("advice"),
)

internal fun readMeasurement(measurement: JsonObject) = Measurement(
    runtime = readRuntime(measurement.part("runtime")),
    samples = readSamples(measurement.part("samples")),
    loads = measurement.part("loads").let {
        Loads(
            it.whole("first_ns"), it.wholes("warm_ns"), it.wholeOrNull("first_ever_ns"),
            it.wholes("cold_ns"),
        )
    },
    memory = measurement.part("memory").let {
        Memory(it.whole("peak_bytes"), it.whole("before_load_bytes"))
    },
    before = readState(measurement.part("before")),
    after = readState(measurement.part("after")),
    gates = measurement.parts("gates", ::readGate),
    states = measurement.parts("states", ::readState),
    events = measurement.parts("events", ::readEvent),
    power = measurement.partOrNull("power")?.let(::readPower),
    scheduling = measurement.parts("scheduling", ::readScheduling),
    application = measurement.partOrNull("application")?.let(::readApplication),
    parity = measurement.parts("parity", ::readParity),
    placement = measurement.known("placement")?.let {
        measurement.parts("placement", ::readOperation)
    },
    unitTimings = measurement.parts("unit_timings", ::readTiming),
    stopped = measurement.maybeWord("stopped"),
    cutOff = measurement.flag("cut_off"),
)
