import AllocationCount
import Testing

@testable import BenchCore

/// Counts how often the measuring thread asks for memory from one inference to the next.
///
/// What a process makes once, such as a constant or what the runtime knows of a type, is made in a
/// rehearsal: the same run before it, on the same thread. What is counted after that is the engine's.
@Suite(
    .enabled(
        if: allocation_count_is_possible() == 1,
        "allocations are counted with glibc, and without a sanitizer"))
struct AllocationTests {
    @Test func readingTheCounterAllocatesNothing() throws {
        let counted = try rehearsed {
            let counted = CountedDevice { _ in ms }
            let infer = counted.load()
            for _ in 0..<count { try infer() }
            return counted
        }
        #expect(counted.total { _ in true }.count == 0)
    }

    @Test func oneObjectBetweenTwoInferencesIsSeen() throws {
        let counted = CountedDevice { _ in ms }
        let infer = counted.load()
        var boxes: [Box] = []
        boxes.reserveCapacity(count)
        for _ in 0..<count {
            try infer()
            boxes.append(Box(counted.now))
        }
        let total = counted.total { _ in true }
        #expect(total.count >= count - 1)
        #expect(total.bytes >= 24 * (count - 1))
        #expect(boxes.count == count)
    }

    @Test func inferencesOneAfterTheOtherAllocateNothing() throws {
        let counted = try rehearsed { try measured(played(count)) { _ in ms } }
        #expect(counted.total(\.isPlain).count == 0)
        expectFewParts(counted)
    }

    @Test func framesAtAPaceAllocateNothing() throws {
        let paced = played(count, intervalNs: 100 * ms)
        let counted = try rehearsed { try measured(paced) { _ in 60 * ms } }
        #expect(counted.total(\.isPlain).count == 0)
        expectFewParts(counted)
    }

    @Test func aWarmUpThatConvergesLateAllocatesNothing() throws {
        var falling = played(10)
        falling.warmUp = WarmUp(
            minIterations: count, minDurationNs: 0, maxDurationNs: 1000 * s,
            convergence: Convergence())
        let counted = try rehearsed { try measured(falling) { ms + 1000 - $0 % 1000 } }
        #expect(counted.inferences > count)
        #expect(counted.total(\.isPlain).count == 0)
    }

    @Test(arguments: PolicyRule.allCases)
    func noPolicyAllocatesWhileTheWidthStays(_ rule: PolicyRule) throws {
        let aim = rule == .deadline ? Aim() : Aim(skinC: 60, uncapped: true)
        let counted = try rehearsed { try chosen(Policy(rule: rule, aim: aim)) { 60 * ms + $0 % 7 } }
        #expect(counted.total(\.isPlain).count == 0)
        #expect(counted.decisions == 0)
        expectFewParts(counted)
    }

    @Test(arguments: [PolicyRule.deadline, .threshold, .headroom, .predictive])
    func policiesAllocateOnlyWhereTheyDecide(_ rule: PolicyRule) throws {
        // Every 2000 frames the clock is capped for as many.
        let counted = try rehearsed {
            try chosen(Policy(rule: rule)) { $0 / 2000 % 2 == 0 ? 60 * ms : 120 * ms }
        }
        #expect(counted.total { $0.isPlain && !$0.hasDecision }.count == 0)
        #expect((20...2000).contains(counted.decisions))
        let bytes = counted.total { $0.isPlain && $0.hasDecision }.bytes
        #expect(bytes / counted.decisions < 2000)
    }

    /// Rehearse a run, and return what was counted in the one after it.
    private func rehearsed(_ run: () throws -> CountedDevice) throws -> CountedDevice {
        _ = try run()
        return try run()
    }

    /// Readings and parts, about one a second, are few and small.
    private func expectFewParts(_ counted: CountedDevice) {
        #expect(counted.readings <= counted.seconds + 2)
        #expect(counted.parts <= counted.seconds + 2)
        let readings = counted.total { $0.hasReading && !$0.hasPart }
        #expect(readings.bytes <= 1500 * counted.readings)
        // A sample has 25 bytes, and 33 with its width.
        let parts = counted.total(\.hasPart)
        #expect(parts.bytes <= 33 * count + 4000 * counted.parts)
    }

    private func chosen(
        _ policy: Policy, latencyNs: @escaping (Int) -> Int
    ) throws -> CountedDevice {
        let costs = [
            WidthCost(width: 1, coolNs: 60 * ms, top1: 70.5),
            WidthCost(width: 0.75, coolNs: 40 * ms, top1: 68.9),
            WidthCost(width: 0.5, coolNs: 25 * ms, top1: 64.4),
        ]
        let counted = CountedDevice(latencyNs: latencyNs)
        let several = Several(widths: costs.map(\.width), select: counted.select) { _ in
            counted.hasChooser = true
            counted.baselines += 1
            let machine = try controller(of: policy, widths: costs, intervalNs: 100 * ms)
            return Deciding(PolicyChooser(machine), counted)
        }
        let paced = played(count, intervalNs: 100 * ms, senseNs: s)
        return try measured(paced, counted, several)
    }

    private func measured(
        _ benchProtocol: BenchProtocol, latencyNs: @escaping (Int) -> Int
    ) throws -> CountedDevice {
        try measured(benchProtocol, CountedDevice(latencyNs: latencyNs), nil)
    }

    private func measured(
        _ benchProtocol: BenchProtocol, _ counted: CountedDevice, _ several: Several?
    ) throws -> CountedDevice {
        let course = Course(several: several) { _ in counted.parts += 1 }
        _ = try runProtocol(
            benchProtocol, load: counted.load, instruments: counted, course: course)
        return counted
    }

    private let count = 100_000
}

private final class Box {
    let number: Int

    init(_ number: Int) {
        self.number = number
    }
}

/// Counts the decisions of what it asks.
private final class Deciding: Chooser {
    private let other: any Chooser
    private let counted: CountedDevice

    init(_ other: any Chooser, _ counted: CountedDevice) {
        self.other = other
        self.counted = counted
    }

    var reason: String { other.reason }
    var readings: [String: Double] { other.readings }

    func choose(tNs: Int, index: Int, latencyNs: Int, state: DeviceState?) -> Int {
        let chosen = other.choose(tNs: tNs, index: index, latencyNs: latencyNs, state: state)
        if chosen != index || other.reason != "hold" { counted.decisions += 1 }
        return chosen
    }
}

/// Notes at each inference how much its thread has allocated so far.
private final class CountedDevice: Instruments, @unchecked Sendable {
    /// What was counted up to an inference.
    struct Mark {
        var allocations = 0
        var bytes = 0
        var readings = 0
        var parts = 0
        var decisions = 0
        var baselines = 0
    }

    /// What came between two inferences.
    struct Gap {
        let before: Mark
        let after: Mark

        var hasReading: Bool { after.readings > before.readings }
        var hasPart: Bool { after.parts > before.parts }
        var hasDecision: Bool { after.decisions > before.decisions }

        /// Whether it is within a phase of a round, without a reading and without a part.
        var isPlain: Bool { !hasReading && !hasPart && after.baselines == before.baselines }
    }

    private let latencyNs: (Int) -> Int
    private var marks: [Mark] = []
    private var index = 0
    private let began = 5 * s
    private static let speeds = [60, 40, 25]
    private let state = DeviceState(
        tNs: 0, thermal: .nominal, temperaturesC: ["skin": 30], headroom: 0.5)

    var now = 5 * s
    var inferences = 0
    var readings = 0
    var parts = 0
    var decisions = 0

    /// Each begins with a shift of the width; after the last, what chooses is made.
    var baselines = 0
    var hasChooser = false

    init(latencyNs: @escaping (Int) -> Int) {
        self.latencyNs = latencyNs
        marks.reserveCapacity(110_000)
    }

    var seconds: Int { (now - began) / s }

    func load() -> Infer { infer }

    private func infer() {
        marks.append(
            Mark(
                allocations: Int(allocation_count()), bytes: Int(allocation_bytes()),
                readings: readings, parts: parts, decisions: decisions, baselines: baselines))
        inferences += 1
        now += Self.speeds[index] * latencyNs(inferences) / 60
    }

    /// Put a width in force.
    func select(_ to: Int) {
        index = to
        if !hasChooser { baselines += 1 }
    }

    func nowNs() -> Int { now }

    func waitNs(_ nanoseconds: Int) { now += nanoseconds }

    func sense() -> DeviceState {
        readings += 1
        return state
    }

    /// Return the allocations, and their bytes, in all gaps of a kind.
    func total(_ kind: (Gap) -> Bool) -> (count: Int, bytes: Int) {
        var total = (count: 0, bytes: 0)
        for (before, after) in zip(marks, marks.dropFirst()) {
            guard kind(Gap(before: before, after: after)) else { continue }
            total.count += after.allocations - before.allocations
            total.bytes += after.bytes - before.bytes
        }
        return total
    }
}
