/// Percentiles of the measured samples that began within one span of time.
public struct Window: Equatable, Sendable {
    public let startNs: Int
    public let count: Int
    public let p50Ns: Double
    public let p90Ns: Double
    public let p99Ns: Double
}

/// How many frames of a paced measurement were on time, late and dropped.
public struct Deadlines: Equatable, Sendable {
    /// Frames that were due while it ran.
    public let frames: Int
    public let onTime: Int
    /// Started, but not finished when the next frame was due.
    public let late: Int
    /// Not started, because the inference before was still running.
    public let dropped: Int
}

/// Return the number that the protocol reports as its result.
///
/// A round with too few samples for a trimmed mean is left out; nil where every round is, and where
/// nothing was measured.
public func headlineNs(_ benchProtocol: BenchProtocol, _ samples: Samples) -> Double? {
    let latencies = latenciesNs(samples)
    if latencies.isEmpty { return nil }
    switch benchProtocol.headline {
    case .median: return percentile(latencies, 50)
    case .p90: return percentile(latencies, 90)
    case .trimmedMean: return meanOfTrimmedMeans(benchProtocol, samples)
    }
}

private func meanOfTrimmedMeans(_ benchProtocol: BenchProtocol, _ samples: Samples) -> Double? {
    let trim = benchProtocol.trim
    let means = latenciesOfRounds(samples, rounds: benchProtocol.rounds)
        .filter { $0.count > 2 * trim }
        .map { trimmedMean(doubles($0), lowest: trim, highest: trim) }
    return means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)
}

/// Return percentiles for each span of time since the first measured sample.
///
/// Spans without a sample are left out.
public func windows(_ samples: Samples, windowNs: Int) -> [Window] {
    let measured = places(samples)
    guard let first = measured.first else { return [] }
    let origin = samples.tNs[first]
    func number(_ at: Int) -> Int { (samples.tNs[measured[at]] - origin) / windowNs }
    var windows: [Window] = []
    var from = 0
    while from < measured.count {
        var to = from + 1
        while to < measured.count && number(to) == number(from) { to += 1 }
        let ordered = measured[from..<to].map { Double(samples.latencyNs[$0]) }.sorted()
        windows.append(
            Window(
                startNs: origin + number(from) * windowNs,
                count: to - from,
                p50Ns: percentile(ofOrdered: ordered, 50),
                p90Ns: percentile(ofOrdered: ordered, 90),
                p99Ns: percentile(ofOrdered: ordered, 99)
            )
        )
        from = to
    }
    return windows
}

/// Count the frames of a protocol that were on time, late and dropped; nil where it has no pace.
///
/// All rounds with samples are counted. A frame is due at a multiple of the interval since the
/// round's first; it must be finished when the next is due.
public func deadlines(_ benchProtocol: BenchProtocol, _ samples: Samples) -> Deadlines? {
    guard let interval = benchProtocol.intervalNs else { return nil }
    var (frames, started, onTime) = (0, 0, 0)
    for measured in placesOfRounds(samples, rounds: benchProtocol.rounds) {
        let firstNs = samples.tNs[measured[0]]
        var frame = 0
        for place in measured {
            let start = samples.tNs[place] - firstNs
            frame = start / interval
            if start + samples.latencyNs[place] <= (frame + 1) * interval { onTime += 1 }
        }
        frames += frame + 1
        started += measured.count
    }
    return Deadlines(
        frames: frames, onTime: onTime, late: started - onTime, dropped: frames - started
    )
}

/// Return the places of the samples of one phase, in order.
public func places(_ samples: Samples, phase: Phase = .measured) -> [Int] {
    samples.phase.indices.filter { samples.phase[$0] == phase }
}

/// Return the places of the samples of one phase, in order, for each round that has some.
public func placesOfRounds(
    _ samples: Samples, phase: Phase = .measured, rounds: Int
) -> [[Int]] {
    Dictionary(grouping: places(samples, phase: phase)) { samples.round[$0] }
        .filter { (0..<rounds).contains($0.key) }
        .sorted { $0.key < $1.key }
        .map(\.value)
}

/// Return the latencies of one phase, in order.
public func latenciesNs(_ samples: Samples, phase: Phase = .measured) -> [Int] {
    places(samples, phase: phase).map { samples.latencyNs[$0] }
}

/// Return the measured latencies, in order, of each round that has some.
func latenciesOfRounds(_ samples: Samples, rounds: Int) -> [[Int]] {
    placesOfRounds(samples, rounds: rounds).map { $0.map { samples.latencyNs[$0] } }
}
