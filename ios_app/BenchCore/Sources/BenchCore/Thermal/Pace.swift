/// How much slower than cool the clock is now, and how likely a width is to be in time.
///
///     ratio    = latency / cool latency of the width that computed it
///     pace     = median of the last five ratios: a lower clock moves it after three frames, and a
///                single slow frame does not
///     residual = the middle ratio of five / their pace: what remains is noise, not a step of the
///                clock
///     chance   = share of the last residuals with which a width would be in time at this pace
struct Pace {
    private let coolNs: [Int]
    private var ratios = Ring(Self.window)
    private var residuals = Ring(Self.kept)

    /// 1 at the cool clock, 1.25 where everything takes a quarter longer.
    private(set) var value = 1.0

    init(coolNs: [Int]) {
        self.coolNs = coolNs
        for _ in 0..<Self.window { ratios.add(1) }
        // From both ends by turns, so that the assumption fades from its edges.
        for at in 0..<Self.kept / 2 {
            residuals.add(Self.assumed(at))
            residuals.add(Self.assumed(Self.kept - 1 - at))
        }
    }

    /// Take in the latency of a frame that the width at `index` computed.
    mutating func add(index: Int, latencyNs: Int) {
        ratios.add(Double(latencyNs) / Double(coolNs[index]))
        value = ratios.ranked(Self.window / 2)
        residuals.add(ratios.before(Self.window / 2) / value)
    }

    /// Return how likely a width is to be in time, 0 to 1.
    func chance(index: Int, deadlineNs: Int) -> Double {
        let limit = Double(deadlineNs) / (Double(coolNs[index]) * value)
        return Double(residuals.countUpTo(limit)) / Double(Self.kept)
    }

    private static func assumed(_ at: Int) -> Double {
        1 + prior * (2.0 * Double(at) / Double(kept - 1) - 1)
    }

    private static let window = 5
    private static let kept = 64

    /// Noise that is assumed before any is seen: residuals from 1 less this to 1 and this.
    private static let prior = 0.05
}
