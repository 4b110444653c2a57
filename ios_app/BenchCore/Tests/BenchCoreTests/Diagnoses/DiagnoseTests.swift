import Testing

@testable import BenchCore

@Suite struct DiagnoseTests {
    private let device = Device(
        id: "phone", kind: .phone, model: "one", os: "ios", osVersion: "26")
    private let steady = (0..<60).map { 1000 + $0 % 7 }

    @Test func aSteadyRunIsValid() {
        #expect(judged(steady) == Judgement(reasons: []))
        #expect(judged(steady).validity == .valid)
    }

    @Test(arguments: EventKind.allCases)
    func everyEventThatIsAnAbsenceIsNotInFrontAndNoOther(_ kind: EventKind) {
        let events = [Event(tNs: 5, kind: kind)]
        let isAway = !absences(events: events, scheduling: []).isEmpty
        #expect(judged(steady, events: events).reasons.contains(.notInFront) == isAway)
    }

    @Test(arguments: [nil, true, false], [nil, true, false])
    func everySchedulingThatIsAnAbsenceIsNotInFront(_ foreground: Bool?, _ screenOn: Bool?) {
        let scheduling = [Scheduling(tNs: 5, foreground: foreground, screenOn: screenOn)]
        let isAway = foreground == false || screenOn == false
        #expect(judged(steady, scheduling: scheduling).reasons.contains(.notInFront) == isAway)
    }

    @Test func latenciesOfTwoWidthsAreNoTwoModes() {
        let half = (0..<60).map { ($0 < 30 ? 1000 : 500) + $0 % 7 }
        let widths = (0..<60).map { $0 < 30 ? 1 : 0.5 }
        #expect(judged(half).reasons.contains(.bimodalLatency))
        #expect(judged(half, widths).reasons.isEmpty)
    }

    @Test func withoutAnySampleNothingButTheirLackIsSeen() {
        #expect(judged([]).reasons == [.tooFewSamples])
    }

    @Test func aProtocolThatAsksForMoreThanCanBeCountedHasTooFewSamples() {
        var endless = benchProtocol
        endless.rounds = 1 << 40
        endless.minDurationNs = 1 << 50
        endless.intervalNs = 1
        #expect(judged(steady, by: endless).reasons == [.tooFewSamples])
    }

    @Test func ranksCorrelateWithTiesInTheOrderTheyCome() {
        let rising = [3.0, 4, 5]
        // A few last digits of a number near 1: the correlation goes through square roots.
        #expect(abs(rankCorrelation([1, 1, 2], rising) - 1) < 1e-15)
        #expect(abs(rankCorrelation([3, 2, 1], rising) + 1) < 1e-15)
        #expect(rankCorrelation([1, 1, 1], rising) == 0)
    }

    private var benchProtocol: BenchProtocol {
        BenchProtocol(
            id: "test", purpose: "tests", rounds: 1,
            warmUp: WarmUp(minIterations: 0, minDurationNs: 0, maxDurationNs: 1),
            inferences: 60, minDurationNs: 0, maxDurationNs: 1_000_000)
    }

    private func judged(
        _ latencies: [Int],
        _ widths: [Double] = [],
        by other: BenchProtocol? = nil,
        events: [Event] = [],
        scheduling: [Scheduling] = []
    ) -> Judgement {
        let samples = Samples(
            tNs: latencies.indices.map { $0 * 2000 },
            latencyNs: latencies,
            phase: latencies.map { _ in .measured },
            round: latencies.map { _ in 0 },
            width: widths
        )
        let measurement = Measurement(
            runtime: RuntimeInfo(
                name: "coreml", version: "1", computeUnitRequested: .cpu,
                computeUnitEvidence: .confirmed, delegate: nil, threads: 1),
            samples: samples,
            loads: Loads(firstNs: 1),
            memory: Memory(peakBytes: 2, beforeLoadBytes: 1),
            before: DeviceState(tNs: 0),
            after: DeviceState(tNs: 9),
            events: events,
            scheduling: scheduling
        )
        return diagnose(measurement, other ?? benchProtocol, device)
    }
}
