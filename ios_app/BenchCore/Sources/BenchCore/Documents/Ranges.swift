/// The smallest width of a network, as a share of its channels.
public let leastWidth = 0.01

private let largest = Double(largestWhole)
private let mostMhz = 20_000.0
private let mostHeadroom = 10.0
private let mostMicroamperes = 50_000_000.0

/// Of a temperature of a device.
let celsius = -40.0...150.0

/// Fields of one object that have the same range; a field may be null, or a list of numbers.
private struct Range: Sendable {
    let names: [String]
    let range: ClosedRange<Double>

    init(_ names: String..., least: Double = 0, most: Double = largest) {
        self.names = names
        range = least...most
    }

    func check(_ fields: JsonObject) throws {
        for name in names {
            if let value = fields[name] { try check(name, value) }
        }
    }

    private func check(_ name: String, _ value: Json) throws {
        switch value {
        case .list(let values): for value in values { try check(name, value) }
        // An entry of a column in spans.
        case .object(let span): if let value = span["value"] { try check(name, value) }
        case .int(let whole): try check(name, Double(whole), "\(whole)")
        case .double(let number): try check(name, number, ecmaScript(number))
        default: break
        }
    }

    private func check(
        _ name: String, _ number: Double, _ shown: @autoclosure () -> String
    ) throws {
        if range.contains(number) { return }
        let (least, most) = (ecmaScript(range.lowerBound), ecmaScript(range.upperBound))
        throw Mismatch("\(name) is \(shown()); it has to be from \(least) to \(most)")
    }
}

private let ranges: [String: [Range]] = [
    "VariantAccuracy": [Range("top1", most: 100)],
    "Variant": [Range("width", least: leastWidth, most: 1)],
    "ExpectedOutput": [Range("limit", "half_limit")],
    "ParityCheck": [Range("batches", least: 1)],
    "Limits": [
        Range("time_ns", least: 1), Range("hottest_c", most: 150), Range("least_battery", most: 1),
    ],
    "Reporting": [Range("every_ns", least: 1)],
    "Aim": [
        Range("deadline_ns", least: 1),
        Range("headroom", most: mostHeadroom),
        Range("skin_c", "battery_c", most: 100),
        Range("energy_mj"),
    ],
    "Protocol": [
        Range("rounds", "inferences", "interval_ns", "sense_ns", "window_ns", least: 1),
        Range("min_duration_ns", "max_duration_ns", "cool_down_ns", "trim"),
    ],
    "Job": [Range("threads", least: 1)],
    "Cores": [Range("count", least: 1), Range("max_mhz", most: mostMhz)],
    "Device": [Range("ram_bytes", "cores", "boot_age_ns")],
    "DeviceState": [
        Range("t_ns", "load_average", "headroom_age_ns"),
        Range("cpu_mhz", "cpu_cap_mhz", most: mostMhz),
        Range("headroom", most: mostHeadroom),
        Range("busy_fraction", "battery_fraction", most: 1),
    ],
    "RuntimeInfo": [Range("threads", least: 1)],
    "Scheduling": [Range("t_ns", "affinity"), Range("priority", least: -20, most: 19)],
    "Event": [Range("t_ns"), Range("from_width", "to_width", least: leastWidth, most: 1)],
    "PlacedOperation": [Range("cost", most: 1)],
    "UnitTiming": [Range("samples", least: 1)],
    "OutputParity": [Range("max_relative_error", "limit")],
    "Power": [
        Range("t_ns"),
        Range("level", most: 1),
        Range("current", least: -mostMicroamperes, most: mostMicroamperes),
        Range("voltage_mv", least: 500, most: 60_000),
    ],
    "Load": [Range("ns")],
    "Start": [Range("t_ns", "round", "before_load_bytes")],
    "Line": [Range("n", "peak_bytes", "round_ended")],
    "Samples": [
        Range("t_ns", "latency_ns", "round"), Range("width", least: leastWidth, most: 1),
    ],
    "Loads": [Range("first_ns", "warm_ns", "first_ever_ns", "cold_ns")],
    "GateLog": [Range("waited_ns")],
    "Memory": [Range("peak_bytes", "before_load_bytes")],
    "Session": [Range("position", "pair")],
]

/// Return a reading, or nil where it is outside the range that its field has in documents.
func plausible(_ name: String, _ field: String, _ value: Double?) -> Double? {
    let range = ranges[name]!.first { $0.names.contains(field) }!.range
    return value.flatMap { range.contains($0) ? $0 : nil }
}

/// Require the numbers of an object to be in the ranges of their fields. Throws `Mismatch`.
func requireRanges(_ name: String, _ fields: JsonObject) throws {
    for range in ranges[name] ?? [] { try range.check(fields) }
}
