// Each reads an object that fits its schema and the rules, and has its defaults.

func readDevice(_ device: JsonObject) throws -> Device {
    Device(
        id: device.text("id"),
        kind: try device.word("kind"),
        model: device.text("model"),
        soc: device.textOrNil("soc"),
        os: device.text("os"),
        osVersion: device.text("os_version"),
        osBuild: device.textOrNil("os_build"),
        ramBytes: device.wholeOrNil("ram_bytes"),
        cores: device.wholeOrNil("cores"),
        clusters: device.known("clusters")?.asList.map(\.asObject).map {
            Cores(count: $0.whole("count"), maxMhz: $0.numberOrNil("max_mhz"))
        },
        bootAgeNs: device.wholeOrNil("boot_age_ns")
    )
}

func readState(_ state: JsonObject) throws -> DeviceState {
    DeviceState(
        tNs: state.whole("t_ns"),
        thermal: try state.wordOrNil("thermal"),
        temperaturesC: state.known("temperatures_c").map { _ in state.numbers("temperatures_c") },
        headroom: state.numberOrNil("headroom"),
        headroomAgeNs: state.wholeOrNil("headroom_age_ns"),
        loadAverage: state.numberOrNil("load_average"),
        busyFraction: state.numberOrNil("busy_fraction"),
        cpuMhz: state.numberOrNil("cpu_mhz"),
        governor: state.textOrNil("governor"),
        lowPowerMode: state.flagOrNil("low_power_mode"),
        batteryFraction: state.numberOrNil("battery_fraction"),
        charging: state.flagOrNil("charging"),
        cpuCapMhz: state.numberOrNil("cpu_cap_mhz"),
        unreadable: Dictionary(
            try state.part("unreadable").fields.map { ($0, try asWord($1.asText)) },
            uniquingKeysWith: { $1 }
        )
    )
}

func readRuntime(_ runtime: JsonObject) throws -> RuntimeInfo {
    RuntimeInfo(
        name: runtime.text("name"),
        version: runtime.text("version"),
        computeUnitRequested: try runtime.word("compute_unit_requested"),
        computeUnitEvidence: try runtime.word("compute_unit_evidence"),
        delegate: runtime.textOrNil("delegate"),
        threads: runtime.whole("threads"),
        settings: runtime.textsByName("settings")
    )
}

func readApplication(_ application: JsonObject) throws -> Application {
    Application(
        name: application.text("name"),
        version: application.text("version"),
        build: try application.word("build"),
        runtimeBuild: try application.wordOrNil("runtime_build")
    )
}

/// Read columns of samples; their rules have seen that the spans are as long as the times.
func readSamples(_ samples: JsonObject) throws -> Samples {
    Samples(
        tNs: samples.wholes("t_ns"),
        latencyNs: samples.wholes("latency_ns"),
        phase: try column(samples, "phase") { try $0.word("value") },
        round: column(samples, "round") { $0.whole("value") },
        width: column(samples, "width") { $0.number("value") }
    )
}

private func column<Entry>(
    _ samples: JsonObject, _ name: String, _ value: (JsonObject) throws -> Entry
) rethrows -> [Entry] {
    try samples.parts(name) { span in
        repeatElement(try value(span), count: span.whole("count"))
    }.flatMap { $0 }
}

func readLoad(_ load: JsonObject) throws -> Load {
    Load(kind: try load.word("kind"), ns: load.whole("ns"))
}

func readGateLog(_ gate: JsonObject) throws -> GateLog {
    GateLog(
        waitedNs: gate.whole("waited_ns"),
        start: try gate.wordOrNil("start"),
        open: gate.flag("open")
    )
}

func readEvent(_ event: JsonObject) throws -> Event {
    Event(
        tNs: event.whole("t_ns"),
        kind: try event.word("kind"),
        fromWidth: event.numberOrNil("from_width"),
        toWidth: event.numberOrNil("to_width"),
        readings: event.numbers("readings"),
        note: event.textOrNil("note")
    )
}

func readScheduling(_ scheduling: JsonObject) -> Scheduling {
    Scheduling(
        tNs: scheduling.whole("t_ns"),
        foreground: scheduling.flagOrNil("foreground"),
        screenOn: scheduling.flagOrNil("screen_on"),
        importance: scheduling.textOrNil("importance"),
        cpuset: scheduling.textOrNil("cpuset"),
        affinity: scheduling.known("affinity")?.asList.map(\.asInt),
        priority: scheduling.wholeOrNil("priority"),
        qos: scheduling.textOrNil("qos"),
        fixedPerformance: scheduling.flagOrNil("fixed_performance")
    )
}

func readParity(_ parity: JsonObject) throws -> UnitParity {
    UnitParity(
        unit: try parity.word("unit"),
        outputs: parity.parts("outputs") {
            OutputParity(
                name: $0.text("name"),
                maxRelativeError: $0.numberOrNil("max_relative_error"),
                limit: $0.number("limit")
            )
        }
    )
}

func readOperation(_ operation: JsonObject) throws -> PlacedOperation {
    PlacedOperation(
        name: operation.text("name"),
        kind: operation.text("kind"),
        unit: try operation.wordOrNil("unit"),
        possible: try operation.texts("possible").map { try asWord($0) },
        cost: operation.numberOrNil("cost")
    )
}

func readTiming(_ timing: JsonObject) throws -> UnitTiming {
    UnitTiming(
        unit: try timing.word("unit"),
        p50Ns: timing.number("p50_ns"),
        samples: timing.whole("samples")
    )
}

func readPower(_ power: JsonObject) throws -> Power {
    func column(_ name: String) -> [Json?] {
        power.list(name).map { $0 == .null ? nil : $0 }
    }
    let (levels, currents) = (column("level"), column("current"))
    let (voltages, chargers) = (column("voltage_mv"), column("charging"))
    return Power(
        readings: power.wholes("t_ns").enumerated().map { index, tNs in
            PowerReading(
                tNs: tNs,
                level: levels[index]?.asNumber,
                current: currents[index]?.asInt,
                voltageMv: voltages[index]?.asInt,
                charging: chargers[index]?.asBool
            )
        },
        currentUnit: try power.word("current_unit"),
        discharging: try power.word("discharging"),
        counterTrusted: power.flagOrNil("counter_trusted"),
        doubts: power.texts("doubts")
    )
}

func readFailure(_ failure: JsonObject) throws -> Failure {
    Failure(
        stage: try failure.word("stage"),
        error: failure.text("error"),
        message: failure.text("message"),
        logTail: failure.text("log_tail"),
        advice: failure.textOrNil("advice")
    )
}

private func readLoads(_ loads: JsonObject) -> Loads {
    Loads(
        firstNs: loads.whole("first_ns"),
        warmNs: loads.wholes("warm_ns"),
        firstEverNs: loads.wholeOrNil("first_ever_ns"),
        coldNs: loads.wholes("cold_ns")
    )
}

func readPlacement(_ given: JsonObject) throws -> [PlacedOperation]? {
    try given.known("placement")?.asList.map { try readOperation($0.asObject) }
}

func readMeasurement(_ measurement: JsonObject) throws -> Measurement {
    let memory = measurement.part("memory")
    return Measurement(
        runtime: try readRuntime(measurement.part("runtime")),
        samples: try readSamples(measurement.part("samples")),
        loads: readLoads(measurement.part("loads")),
        memory: Memory(
            peakBytes: memory.whole("peak_bytes"),
            beforeLoadBytes: memory.whole("before_load_bytes")
        ),
        before: try readState(measurement.part("before")),
        after: try readState(measurement.part("after")),
        gates: try measurement.parts("gates", readGateLog),
        states: try measurement.parts("states", readState),
        events: try measurement.parts("events", readEvent),
        power: try measurement.partOrNil("power").map(readPower),
        scheduling: measurement.parts("scheduling", readScheduling),
        application: try measurement.partOrNil("application").map(readApplication),
        parity: try measurement.parts("parity", readParity),
        placement: try readPlacement(measurement),
        unitTimings: try measurement.parts("unit_timings", readTiming),
        stopped: try measurement.wordOrNil("stopped"),
        cutOff: measurement.flag("cut_off")
    )
}
