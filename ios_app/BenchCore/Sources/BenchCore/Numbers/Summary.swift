/// Summary of one run's measured samples, computed when shown and never stored.
public struct Summary: Equatable, Sendable {
    public let count: Int
    public let minNs: Int
    public let meanNs: Double
    public let p50Ns: Double
    public let p90Ns: Double
    public let p99Ns: Double
}

/// Summarise latencies; nil where there are none.
public func summarise(_ latenciesNs: [Int]) -> Summary? {
    guard let minNs = latenciesNs.min() else { return nil }
    let ordered = doubles(latenciesNs).sorted()
    return Summary(
        count: latenciesNs.count,
        minNs: minNs,
        meanNs: mean(doubles(latenciesNs)),
        p50Ns: percentile(ofOrdered: ordered, 50),
        p90Ns: percentile(ofOrdered: ordered, 90),
        p99Ns: percentile(ofOrdered: ordered, 99)
    )
}

/// Compute a percentile of at least one latency, linear between the two nearest samples.
///
/// This is the seventh definition of Hyndman and Fan.
public func percentile(_ latenciesNs: [Int], _ percent: Double) -> Double {
    percentile(ofOrdered: doubles(latenciesNs).sorted(), percent)
}

/// Compute a percentile of numbers in order of their size, of which there is at least one.
public func percentile(ofOrdered ordered: [Double], _ percent: Double) -> Double {
    precondition(!ordered.isEmpty, "there are no numbers to take a percentile of")
    let place = Double(ordered.count - 1) * (percent / 100)
    let low = Int(place.rounded(.down))
    let share = place - Double(low)
    let first = ordered[low]
    let second = ordered[min(low + 1, ordered.count - 1)]
    // From the nearer one, so that rounding errors are small at both ends.
    return share < 0.5
        ? first + (second - first) * share
        : second - (second - first) * (1 - share)
}

/// Return the median of at least one number.
public func median(_ values: [Double]) -> Double {
    precondition(!values.isEmpty, "there are no numbers to take a median of")
    let ordered = values.sorted()
    let middle = ordered.count / 2
    return ordered.count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
}

/// Compute the mean without the `lowest` smallest and the `highest` largest values.
public func trimmedMean(_ values: [Double], lowest: Int, highest: Int) -> Double {
    precondition(
        lowest >= 0 && highest >= 0 && lowest + highest < values.count,
        "\(values.count) values cannot do without \(lowest) and \(highest)"
    )
    return mean(values.sorted(), in: lowest..<values.count - highest)
}

/// The ends of an interval.
public struct Interval: Equatable, Sendable {
    public let low: Double
    public let high: Double
}

/// Compute the score interval of a share at 95 %, without continuity correction.
///
/// The source is E. B. Wilson, JASA 22, 1927. Unlike the usual interval it stays within 0...1 and
/// has a width at 0 and at 1.
public func wilsonInterval(hits: Int, count: Int) -> Interval {
    precondition(count > 0 && (0...count).contains(hits), "\(hits) of \(count) is not a share")
    let all = Double(count)
    let share = Double(hits) / all
    let middle = (share + z * z / (2 * all)) / (1 + z * z / all)
    let edge = z / (2 * all)
    let half = z * (share * (1 - share) / all + edge * edge).squareRoot() / (1 + z * z / all)
    // At the ends the two terms are equal except for rounding.
    return Interval(
        low: hits == 0 ? 0 : middle - half,
        high: hits == count ? 1 : middle + half
    )
}

/// The number of standard deviations that 95 % of normal values are within.
private let z = 1.959963984540054
