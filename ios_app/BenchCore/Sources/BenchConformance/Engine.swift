import BenchCore

/// Answer a task of the kind `engine`: a protocol on a scripted device.
@Sendable func answerEngine(_ given: JsonObject) throws -> Json? {
    guard let described = given["protocol"] else { return nil }
    let benchProtocol = try BenchProtocol(json: described)
    let device = try ScriptedDevice(given)
    var parts: [Part] = []
    let course = Course(
        limits: try given.known("limits").map(Limits.init(json:)) ?? Limits(),
        firstRound: given.wholeOr("first_round", 0),
        tNs: given.wholeOr("t_ns", 0),
        several: several(given),
        keep: { parts.append($0) }
    )
    do {
        let ending = try runProtocol(
            benchProtocol, load: device.load, instruments: device, course: course)
        return written(parts, ending)
    } catch let failed as InferenceFailed {
        return fields(("failing_inference", .int(failed.number)))
    }
}

private func written(_ parts: [Part], _ ending: Ending) -> Json {
    fields(
        ("samples", .object(together(parts.map(\.samples)).json)),
        ("loads_ns", .list(parts.flatMap(\.loadNs).map(Json.int))),
        ("gates", .list(parts.flatMap(\.gates).map { .object($0.json) })),
        ("states", .list(parts.flatMap(\.states).map { .object($0.json) })),
        ("events", .list(parts.flatMap(\.events).map { .object($0.json) })),
        ("stopped", ending.limit.map { .text($0.word) } ?? .null)
    )
}

private func together(_ samples: [Samples]) -> Samples {
    Samples(
        tNs: samples.flatMap(\.tNs),
        latencyNs: samples.flatMap(\.latencyNs),
        phase: samples.flatMap(\.phase),
        round: samples.flatMap(\.round),
        width: samples.flatMap(\.width)
    )
}

private func several(_ given: JsonObject) -> Several? {
    let widths = given.numberList("widths")
    if widths.isEmpty { return nil }
    let choices = Lasting(given.wholeList("choices"))
    return Several(widths: widths, select: { _ in }) { ScriptedChooser(choices, coolNs: $0) }
}

/// The scripted inference that fails.
private struct InferenceFailed: Error {
    let number: Int
}

/// Chooses by the script, and gives the cool latencies as its readings.
private final class ScriptedChooser: Chooser {
    let reason = "script"
    let readings: [String: Double]
    private let choices: Lasting

    init(_ choices: Lasting, coolNs: [Int]) {
        self.choices = choices
        let named = coolNs.enumerated().map { ("cool_\($0)_ns", Double($1)) }
        readings = Dictionary(uniqueKeysWithValues: named)
    }

    func choose(tNs: Int, index: Int, latencyNs: Int, state: DeviceState?) -> Int {
        choices.next()
    }
}

/// Values in turn; after the last, the last is repeated.
private final class Lasting {
    private let values: [Int]
    private var at = 0

    init(_ values: [Int]) {
        self.values = values
    }

    func next() -> Int {
        defer { at += 1 }
        return values[min(at, values.count - 1)]
    }
}

/// The clock, the sensors and the model of a script.
///
/// Time passes only in loads, inferences, waits and readings; reading the clock takes none. One
/// thread uses it.
private final class ScriptedDevice: Instruments, @unchecked Sendable {
    private let loads: Lasting
    private let latencies: Lasting
    private let states: [DeviceState]
    private let readingNs: Int
    private let lateNs: Int
    private let failing: Int?
    private let zeroNs: Int
    private var time = originNs
    private var inferences = 0

    init(_ script: JsonObject) throws {
        loads = Lasting(script.wholeList("loads_ns"))
        latencies = Lasting(
            script.objects("inferences").flatMap {
                repeatElement($0.whole("latency_ns"), count: $0.whole("count"))
            })
        states = try script.values("states").map(DeviceState.init(json:))
        readingNs = script.wholeOr("reading_ns", 0)
        lateNs = script.wholeOr("late_ns", 0)
        failing = script.wholeOrNil("failing_inference")
        zeroNs = originNs - script.wholeOr("t_ns", 0)
    }

    func load() -> Infer {
        time += loads.next()
        return infer
    }

    private func infer() throws {
        if inferences == failing { throw InferenceFailed(number: inferences) }
        inferences += 1
        time += latencies.next()
    }

    func nowNs() -> Int { time }

    func waitNs(_ nanoseconds: Int) { time += nanoseconds + lateNs }

    func sense() -> DeviceState {
        let beganNs = time - zeroNs
        time += readingNs
        return states.last { $0.tNs <= beganNs }!
    }
}

/// What the clock shows when the measurement begins.
private let originNs = 5_000_000
