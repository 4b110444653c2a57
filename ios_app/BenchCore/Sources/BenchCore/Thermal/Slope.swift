/// How fast a temperature rises; 0 for a sensor of coarse steps.
struct Slope {
    private(set) var cPerS = 0.0
    private var smallestC = Double.infinity
    private var last: (tNs: Int, degrees: Double)?

    /// Take in a temperature.
    mutating func add(_ tNs: Int, _ degrees: Double) {
        if let last, tNs > last.tNs {
            let changeC = degrees - last.degrees
            let seconds = Double(tNs - last.tNs) / Double(secondNs)
            if abs(changeC) > Self.noChangeC { smallestC = min(smallestC, abs(changeC)) }
            cPerS += min(1, seconds / Self.slopeS) * (changeC / seconds - cPerS)
            if smallestC > Self.fineC { cPerS = 0 }
        }
        last = (tNs, degrees)
    }

    /// Forget what was seen.
    mutating func clear() { self = Slope() }

    private static let noChangeC = 1e-6

    /// Steps of a sensor up to which its slope says something.
    private static let fineC = 0.25

    /// Time constant of the slope.
    private static let slopeS = 15.0
}
