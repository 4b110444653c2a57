import Testing

@testable import BenchCore

@Suite struct HeadlinesTests {
    private let paced = BenchProtocol(
        id: "paced", purpose: "tests", rounds: 2,
        warmUp: WarmUp(minIterations: 1, minDurationNs: 0, maxDurationNs: 1), inferences: 2,
        minDurationNs: 0, maxDurationNs: 100, intervalNs: 10, headline: .trimmedMean, trim: 1)

    @Test(arguments: Headline.allCases)
    func withoutAMeasuredSampleThereIsNothingToShow(_ headline: Headline) {
        let samples = Samples(tNs: [3], latencyNs: [5], phase: [.warmUp], round: [0])
        var other = paced
        other.headline = headline
        #expect(headlineNs(other, samples) == nil)
        #expect(windows(samples, windowNs: 10).isEmpty)
        #expect(deadlines(paced, samples) == Deadlines(frames: 0, onTime: 0, late: 0, dropped: 0))
    }

    @Test func theFramesOfEachRoundCountFromItsFirst() {
        let samples = measured([100, 110, 130, 1003, 1013], [10, 11, 3, 4, 5], ofTheFirst: 3)
        let counts = Deadlines(frames: 6, onTime: 4, late: 1, dropped: 1)
        #expect(deadlines(paced, samples) == counts)
    }

    @Test func roundsTooShortForATrimmedMeanLeaveNoHeadline() {
        let halves = measured([0, 10, 20, 30], [1, 2, 3, 4], ofTheFirst: 2)
        #expect(headlineNs(paced, halves) == nil)
        let one = measured([0, 10, 20, 30], [1, 2, 3, 4], ofTheFirst: 3)
        #expect(headlineNs(paced, one) == 2)
    }

    @Test func framesWithoutAPaceHaveNoDeadline() {
        var direct = paced
        direct.intervalNs = nil
        #expect(deadlines(direct, measured([0], [1], ofTheFirst: 1)) == nil)
    }

    @Test func aRoundBeyondThoseOfTheProtocolCountsForNothing() {
        let samples = Samples(
            tNs: [0, 10], latencyNs: [3, 4], phase: [.measured, .measured], round: [0, 1 << 50])
        #expect(placesOfRounds(samples, rounds: 1 << 40) == [[0]])
    }

    /// Return measured samples, of which some are of the first round.
    private func measured(_ starts: [Int], _ latencies: [Int], ofTheFirst first: Int) -> Samples {
        Samples(
            tNs: starts,
            latencyNs: latencies,
            phase: starts.map { _ in .measured },
            round: starts.indices.map { $0 < first ? 0 : 1 }
        )
    }
}
