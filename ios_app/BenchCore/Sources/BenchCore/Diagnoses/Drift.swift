/// Return whether latency rises along with a temperature.
///
/// Both are compared by rank, from one reading to the next.
func drifts(_ samples: Samples, _ states: [DeviceState]) -> Bool {
    if states.count < driftStates { return false }
    if lastOverFirst(doubles(latenciesNs(samples)), parts: 4) <= driftRatio { return false }
    let spans = mediansBetween(samples, states)
    let sensors = Set(spans.flatMap { $0.state.temperaturesC.map { Array($0.keys) } ?? [] })
    return sensors.contains { sensor in
        let read = spans.compactMap { span in
            span.state.temperaturesC?[sensor].map { (degrees: $0, medianNs: span.medianNs) }
        }
        return read.count >= driftStates
            && rankCorrelation(read.map(\.degrees), read.map(\.medianNs)) > driftCorrelation
    }
}

/// Return each reading with the median of the samples up to the next, where there are samples.
private func mediansBetween(
    _ samples: Samples, _ states: [DeviceState]
) -> [(state: DeviceState, medianNs: Double)] {
    let measured = places(samples)
    var spans: [(state: DeviceState, medianNs: Double)] = []
    var begin = 0
    for (state, following) in zip(states, states.dropFirst()) {
        while begin < measured.count && samples.tNs[measured[begin]] < state.tNs { begin += 1 }
        var end = begin
        while end < measured.count && samples.tNs[measured[end]] < following.tNs { end += 1 }
        if end > begin {
            let span = measured[begin..<end].map { Double(samples.latencyNs[$0]) }
            spans.append((state, median(span)))
        }
        begin = end
    }
    return spans
}

/// Return Spearman's rank correlation, with ties in the order they come.
///
/// 0 where one side does not vary.
func rankCorrelation(_ first: [Double], _ second: [Double]) -> Double {
    if Set(first).count < 2 || Set(second).count < 2 { return 0 }
    let one = centredRanks(first)
    let other = centredRanks(second)
    return dot(one, other) / (dot(one, one).squareRoot() * dot(other, other).squareRoot())
}

private func centredRanks(_ values: [Double]) -> [Double] {
    // Swift does not promise that equal values keep their order.
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    var ranks = [Double](repeating: 0, count: values.count)
    for (rank, at) in order.enumerated() { ranks[at] = Double(rank) }
    let middle = mean(ranks)
    return ranks.map { $0 - middle }
}

private func dot(_ one: [Double], _ other: [Double]) -> Double {
    zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Readings below which they show no trend.
private let driftStates = 10
private let driftRatio = 1.05
private let driftCorrelation = 0.7
