/// Return whether slow samples are much slower than the median.
func isNoisy(_ measured: [Double]) -> Bool {
    if measured.isEmpty { return false }
    return percentile(ofOrdered: measured.sorted(), 90) > noisyP90OverP50 * median(measured)
}

/// Return whether neighbouring values are far apart, or all values are equal.
func isCoarse(_ measured: [Double]) -> Bool {
    if measured.count < enough { return false }
    let ordered = measured.sorted()
    let steps = zip(ordered, ordered.dropFirst()).map { $1 - $0 }.filter { $0 > 0 }
    guard let least = steps.min() else { return true }
    return least > coarseStep * median(measured)
}

/// Return whether the best cut into two clusters leaves them far apart.
func isBimodal(_ measured: [Double]) -> Bool {
    if measured.count < enough { return false }
    let ordered = measured.sorted()
    let share = (smallerMode * Double(ordered.count)).rounded(.toNearestOrEven)
    let smallest = max(2, Int(share))
    if smallest > ordered.count - smallest { return false }
    let cut = bestCut(ordered, smallest: smallest)
    let (lower, upper) = (0..<cut, cut..<ordered.count)
    let low = mean(ordered, in: lower)
    let high = mean(ordered, in: upper)
    let spread = ((variance(ordered, in: lower) + variance(ordered, in: upper)) / 2).squareRoot()
    return high - low > modesApart * spread && high > modesRatio * low
}

/// Return where two clusters are the farthest apart, each of at least `smallest` values.
private func bestCut(_ ordered: [Double], smallest: Int) -> Int {
    let count = ordered.count
    var sums = [0.0]
    for value in ordered { sums.append(sums.last! + value) }
    var best = smallest
    var most = -Double.infinity
    for cut in smallest...count - smallest {
        let low = sums[cut] / Double(cut)
        let high = (sums[count] - sums[cut]) / Double(count - cut)
        let apart = Double(cut * (count - cut)) * ((high - low) * (high - low))
        if apart > most {
            most = apart
            best = cut
        }
    }
    return best
}

private func variance(_ values: [Double], in range: Range<Int>) -> Double {
    let middle = mean(values, in: range)
    return mean(values[range].map { ($0 - middle) * ($0 - middle) })
}

/// Return the median of the last part of a series over that of its first part.
///
/// 1 where the parts hold too few values.
func lastOverFirst(_ latencies: [Double], parts: Int) -> Double {
    let length = latencies.count / parts
    if length < enough / parts { return 1 }
    return median(Array(latencies.suffix(length))) / median(Array(latencies.prefix(length)))
}

/// The 90th percentile over the median.
///
/// A quiet 2-core machine showed 1.01 to 1.12, at times up to 1.45, with three runtimes; a loaded
/// one above 2.
private let noisyP90OverP50 = 1.5

/// The step between neighbouring values of a coarse timer, as a share of the median.
private let coarseStep = 0.02

/// Samples below which the shape of their distribution shows nothing.
private let enough = 20

/// Two clusters: their means this many of their deviations apart.
///
/// Ashman, Bird and Zepf, 1994, take 2 for any two; cutting one normal distribution in half gives
/// 2.7, a uniform one 3.5.
private let modesApart = 4.0

/// Two clusters: far enough apart to matter.
private let modesRatio = 1.1
private let smallerMode = 0.1
