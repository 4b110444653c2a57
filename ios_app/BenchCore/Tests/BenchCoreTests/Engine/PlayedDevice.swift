import Foundation

@testable import BenchCore

let ms = 1_000_000
let s = 1_000_000_000

/// A device whose time passes only in inferences, waits and readings.
final class PlayedDevice: Instruments, @unchecked Sendable {
    var now = 7 * s
    var inferences = 0
    var readings = 0
    var longestWaitNs = 0
    var thermal: ThermalState? = .nominal
    var state = DeviceState(tNs: 0)

    /// The latency of an inference, counted from 1.
    private let latencyNs: (Int) -> Int
    var loadNs = 0
    var duringLoad: () throws -> Void = {}
    var afterInference: () throws -> Void = {}
    var duringWait: (Int) -> Void = { _ in }

    init(latencyNs: @escaping (Int) -> Int) {
        self.latencyNs = latencyNs
    }

    convenience init(latencyNs: Int = ms) {
        self.init { _ in latencyNs }
    }

    func nowNs() -> Int { now }

    func waitNs(_ nanoseconds: Int) {
        longestWaitNs = max(longestWaitNs, nanoseconds)
        now &+= nanoseconds
        duringWait(nanoseconds)
    }

    func sense() -> DeviceState {
        readings += 1
        var read = state
        read.thermal = thermal
        return read
    }

    func load() throws -> Infer {
        now &+= loadNs
        try duringLoad()
        return {
            self.inferences += 1
            self.now &+= self.latencyNs(self.inferences)
            try self.afterInference()
        }
    }

    /// Run a protocol on this device.
    @discardableResult
    func run(_ benchProtocol: BenchProtocol, _ course: Course = Course()) throws -> Ending {
        try runProtocol(benchProtocol, load: load, instruments: self, course: course)
    }
}

func played(
    _ inferences: Int,
    rounds: Int = 1,
    warmUp: Int = 2,
    intervalNs: Int? = nil,
    senseNs: Int? = nil,
    coolDownNs: Int = 0,
    gate: Gate? = nil
) -> BenchProtocol {
    BenchProtocol(
        id: "played",
        purpose: "tests",
        rounds: rounds,
        warmUp: WarmUp(minIterations: warmUp, minDurationNs: 0, maxDurationNs: 60 * s),
        inferences: inferences,
        minDurationNs: 0,
        maxDurationNs: 100_000 * s,
        intervalNs: intervalNs,
        coolDownNs: coolDownNs,
        gate: gate,
        senseNs: senseNs
    )
}

/// The parts of a run, and what they hold together.
final class Parts {
    private(set) var all: [Part] = []

    func keep(_ part: Part) { all.append(part) }

    var tNs: [Int] { all.flatMap(\.samples.tNs) }
    var events: [Event] { all.flatMap(\.events) }
    var roundsEnded: [Int] { all.compactMap(\.roundEnded) }

    var samples: Samples {
        Samples(
            tNs: tNs,
            latencyNs: all.flatMap(\.samples.latencyNs),
            phase: all.flatMap(\.samples.phase),
            round: all.flatMap(\.samples.round),
            width: all.flatMap(\.samples.width)
        )
    }
}

/// Chooses by a rule of a test.
final class ChosenBy: Chooser {
    let reason: String
    let readings: [String: Double]
    private let rule: (_ tNs: Int, _ index: Int) -> Int

    init(
        reason: String = "hold", readings: [String: Double] = [:],
        _ rule: @escaping (_ tNs: Int, _ index: Int) -> Int = { $1 }
    ) {
        self.reason = reason
        self.readings = readings
        self.rule = rule
    }

    func choose(tNs: Int, index: Int, latencyNs: Int, state: DeviceState?) -> Int {
        rule(tNs, index)
    }
}

/// Do something on another thread, and return after it.
func onAnotherThread(_ work: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        work()
        done.signal()
    }
    thread.start()
    done.wait()
}

struct TestFailure: Error, Equatable {
    let message: String
}
