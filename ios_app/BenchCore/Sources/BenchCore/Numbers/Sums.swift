/// Sum numbers of a range, in the order in which NumPy adds them.
///
/// Eight running sums at a time, and halves of what is longer than 128: rounding errors grow with
/// the logarithm of the count, and both implementations have the same ones.
func sum(_ values: [Double], in range: Range<Int>? = nil) -> Double {
    values.withUnsafeBufferPointer { sum($0, range ?? values.indices) }
}

private func sum(_ values: UnsafeBufferPointer<Double>, _ range: Range<Int>) -> Double {
    let (begin, end) = (range.lowerBound, range.upperBound)
    if range.count < 8 { return range.reduce(0) { $0 + values[$1] } }
    if range.count > block {
        let middle = begin + range.count / 2 / 8 * 8
        return sum(values, begin..<middle) + sum(values, middle..<end)
    }
    var lanes = SIMD8<Double>()
    for lane in 0..<8 { lanes[lane] = values[begin + lane] }
    var at = begin + 8
    while at + 8 <= end {
        for lane in 0..<8 { lanes[lane] += values[at + lane] }
        at += 8
    }
    let low = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    let high = (lanes[4] + lanes[5]) + (lanes[6] + lanes[7])
    return (at..<end).reduce(low + high) { $0 + values[$1] }
}

/// Return the mean of at least one number.
func mean(_ values: [Double], in range: Range<Int>? = nil) -> Double {
    sum(values, in: range) / Double(range?.count ?? values.count)
}

func doubles(_ values: [Int]) -> [Double] { values.map(Double.init) }

private let block = 128
