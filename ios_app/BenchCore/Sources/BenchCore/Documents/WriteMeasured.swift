extension Device {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("id", id)
        fields.add("kind", kind)
        fields.add("model", model)
        fields.add("soc", soc)
        fields.add("os", os)
        fields.add("os_version", osVersion)
        fields.add("os_build", osBuild)
        fields.add("ram_bytes", ramBytes)
        fields.add("cores", cores)
        fields.add("clusters", clusters ?? []) { .object($0.json) }
        fields.add("boot_age_ns", bootAgeNs)
        return fields
    }
}

extension Cores {
    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("count", count)
        fields.add("max_mhz", maxMhz)
        return fields
    }
}

extension DeviceState {
    /// A sensor that reads what cannot be is not known, as is one that reads NaN.
    public var json: JsonObject {
        var fields = JsonObject()
        func possible(_ name: String, _ value: Double?) -> Double? {
            plausible("DeviceState", name, value)
        }
        fields.add("t_ns", tNs)
        fields.add("thermal", thermal)
        fields.add("temperatures_c", temperaturesC?.filter { celsius.contains($0.value) })
        fields.add("headroom", possible("headroom", headroom))
        fields.add("headroom_age_ns", headroomAgeNs)
        fields.add("load_average", possible("load_average", loadAverage))
        fields.add("busy_fraction", possible("busy_fraction", busyFraction))
        fields.add("cpu_mhz", possible("cpu_mhz", cpuMhz))
        fields.add("governor", governor)
        fields.add("low_power_mode", lowPowerMode)
        fields.add("battery_fraction", possible("battery_fraction", batteryFraction))
        fields.add("charging", charging)
        fields.add("cpu_cap_mhz", possible("cpu_cap_mhz", cpuCapMhz))
        let reasons = unreadable.sorted { $0.key < $1.key }
        fields.add("unreadable", JsonObject(reasons.map { ($0, .text($1.word)) }))
        return fields
    }
}

extension RuntimeInfo {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("name", name)
        fields.add("version", version)
        fields.add("compute_unit_requested", computeUnitRequested)
        fields.add("compute_unit_evidence", computeUnitEvidence)
        fields.addAlways("delegate", delegate.map(Json.text))
        fields.add("threads", threads)
        var options = JsonObject()
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) { options.add(name, value) }
        fields.add("settings", .object(options))
        return fields
    }
}

extension Application {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("name", name)
        fields.add("version", version)
        fields.add("build", build)
        fields.add("runtime_build", runtimeBuild)
        return fields
    }
}

extension Samples {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.addAlways("t_ns", .list(tNs.map(Json.int)))
        fields.addAlways("latency_ns", .list(latencyNs.map(Json.int)))
        fields.addAlways("phase", spans(phase) { .text($0.word) })
        fields.addAlways("round", spans(round, Json.int))
        fields.add("width", spans(width, Json.double))
        return fields
    }
}

/// Write a column that seldom changes as spans of equal values.
package func spans<Entry: Equatable>(_ column: [Entry], _ write: (Entry) -> Json) -> Json {
    var spans: [Json] = []
    var begin = column.startIndex
    while begin < column.endIndex {
        let end = column[begin...].firstIndex { $0 != column[begin] } ?? column.endIndex
        spans.append(
            .object(JsonObject([("count", .int(end - begin)), ("value", write(column[begin]))]))
        )
        begin = end
    }
    return .list(spans)
}

extension Load {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("kind", kind)
        fields.add("ns", ns)
        return fields
    }
}

extension GateLog {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("waited_ns", waitedNs)
        fields.addAlways("start", start.map { .text($0.word) })
        fields.add("open", open)
        return fields
    }
}

extension Event {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("t_ns", tNs)
        fields.add("kind", kind)
        fields.add("from_width", fromWidth)
        fields.add("to_width", toWidth)
        fields.add("readings", readings)
        fields.add("note", note)
        return fields
    }
}

extension Scheduling {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("t_ns", tNs)
        fields.add("foreground", foreground)
        fields.add("screen_on", screenOn)
        fields.add("importance", importance)
        fields.add("cpuset", cpuset)
        fields.add("affinity", affinity ?? [], Json.int)
        fields.add("priority", priority)
        fields.add("qos", qos)
        fields.add("fixed_performance", fixedPerformance)
        return fields
    }
}

extension UnitParity {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("unit", unit)
        fields.addAlways("outputs", .list(outputs.map { .object($0.json) }))
        return fields
    }
}

extension OutputParity {
    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("name", name)
        fields.addAlways("max_relative_error", maxRelativeError.flatMap(finite))
        fields.add("limit", limit)
        return fields
    }
}

extension PlacedOperation {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("name", name)
        fields.add("kind", kind)
        fields.addAlways("unit", unit.map { .text($0.word) })
        fields.add("possible", possible) { .text($0.word) }
        fields.add("cost", cost)
        return fields
    }
}

extension UnitTiming {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("unit", unit)
        fields.add("p50_ns", p50Ns)
        fields.add("samples", samples)
        return fields
    }
}

extension Power {
    public var json: JsonObject {
        func column(_ write: (PowerReading) -> Json?) -> Json {
            .list(readings.map { write($0) ?? .null })
        }
        func whole(_ name: String, _ value: Int?) -> Json? {
            value.flatMap { plausible("Power", name, Double($0)) == nil ? nil : .int($0) }
        }
        var fields = JsonObject()
        fields.addAlways("t_ns", column { .int($0.tNs) })
        fields.addAlways("level", column { plausible("Power", "level", $0.level).map(Json.double) })
        fields.addAlways("current", column { whole("current", $0.current) })
        fields.addAlways("voltage_mv", column { whole("voltage_mv", $0.voltageMv) })
        fields.addAlways("charging", column { $0.charging.map(Json.bool) })
        fields.add("current_unit", currentUnit)
        fields.add("discharging", discharging)
        fields.add("counter_trusted", counterTrusted)
        fields.add("doubts", doubts, Json.text)
        return fields
    }
}

extension Failure {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("kind", "failure")
        fields.add("stage", stage)
        fields.add("error", error)
        fields.add("message", message)
        fields.add("log_tail", logTail.isEmpty ? nil : logTail)
        fields.add("advice", advice)
        return fields
    }
}

extension Loads {
    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("first_ns", firstNs)
        fields.add("warm_ns", warmNs, Json.int)
        fields.add("first_ever_ns", firstEverNs)
        fields.add("cold_ns", coldNs, Json.int)
        return fields
    }
}

extension Memory {
    fileprivate var json: JsonObject {
        var fields = JsonObject()
        fields.add("peak_bytes", peakBytes)
        fields.add("before_load_bytes", beforeLoadBytes)
        return fields
    }
}

extension Measurement {
    public var json: JsonObject {
        var fields = JsonObject()
        fields.add("kind", "measurement")
        fields.add("runtime", runtime.json)
        fields.add("samples", samples.json)
        fields.add("loads", loads.json)
        fields.add("memory", memory.json)
        fields.add("before", before.json)
        fields.add("after", after.json)
        fields.add("gates", gates) { .object($0.json) }
        fields.add("states", states) { .object($0.json) }
        fields.add("events", events) { .object($0.json) }
        fields.add("power", power?.json)
        fields.add("scheduling", scheduling) { .object($0.json) }
        fields.add("application", application?.json)
        fields.add("parity", parity) { .object($0.json) }
        fields.addPlacement(placement)
        fields.add("unit_timings", unitTimings) { .object($0.json) }
        fields.add("stopped", stopped)
        fields.add("cut_off", cutOff)
        return fields
    }
}

extension JsonObject {
    /// Add a plan, an empty one too: it is not the same as none.
    mutating func addPlacement(_ placement: [PlacedOperation]?) {
        if let placement { addAlways("placement", .list(placement.map { .object($0.json) })) }
    }
}
