import Testing

@testable import BenchCore

/// The arithmetic behind the tables of ModelBench: 20 rounds of 50 after one inference that does
/// not count; of each round the mean without the 10 lowest and the 10 highest; of these the mean.
@Suite struct ModelBenchTests {
    private let benchProtocol = BenchProtocol(
        id: "modelbench-1", purpose: "tests", rounds: 20,
        warmUp: WarmUp(minIterations: 1, minDurationNs: 0, maxDurationNs: 60 * s),
        inferences: 50, minDurationNs: 0, maxDurationNs: 300 * s, headline: .trimmedMean, trim: 10)

    @Test func ofEveryRoundTheTenLowestAndTheTenHighestDoNotCount() throws {
        // In round r: one slow inference that warms up, then 10 of 1 ms, 30 of r + 2 to r + 4 ms,
        // and 10 of a second. The mean of what is left is r + 3 ms, over all rounds 12.5 ms.
        let samples = try samples { inference in
            let (round, place) = (inference - 1).quotientAndRemainder(dividingBy: 51)
            switch place {
            case 0: return 10 * s
            case let place where place % 5 == 1: return 1 * ms
            case let place where place % 5 == 3: return 1 * s
            default: return (round + 2 + place % 5 / 2) * ms
            }
        }
        #expect(samples.count == 20 * 51)
        #expect(samples.phase.filter { $0 == .warmUp }.count == 20)
        #expect(headlineNs(benchProtocol, samples) == 12.5 * Double(ms))
    }

    @Test func aNoisyTraceHasTheHeadlineOfPython() throws {
        var random = SmallGenerator(state: 42)
        let latencies = (1...20 * 51).map { inference in
            1_000_000 + 100 * random.next(below: 5000) + (inference % 51 == 7 ? 9_000_000 : 0)
        }
        let samples = try samples { latencies[$0 - 1] }
        // headline_ns of mobilebench/results/headline.py for the same samples.
        #expect(headlineNs(benchProtocol, samples) == 1_242_983.4999999998)
    }

    @Test func aRoundThatWasCutOffIsLeftOutWhereTooFewRemain() throws {
        let parts = Parts()
        let device = PlayedDevice { $0 <= 51 ? 2 * ms : 4 * ms }
        let stopping = StopRequest()
        device.afterInference = { [unowned device] in
            if device.inferences == 51 + 21 { stopping.ask("the user") }
        }
        try device.run(benchProtocol, Course(stopping: stopping, keep: parts.keep))
        #expect(parts.samples.round.filter { $0 == 1 }.count == 21)
        #expect(headlineNs(benchProtocol, parts.samples) == 2 * Double(ms))
    }

    private func samples(latencyNs: @escaping (Int) -> Int) throws -> Samples {
        let parts = Parts()
        try PlayedDevice(latencyNs: latencyNs).run(benchProtocol, Course(keep: parts.keep))
        return parts.samples
    }
}
