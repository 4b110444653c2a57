/// Follows whether the clock is capped, by latencies, or by the clock where it can be read.
struct CapWatch {
    private let coolNs: [Int]
    private var ratios = Ring(Self.frames)
    private var cap = Double.nan

    private(set) var capped = false

    init(coolNs: [Int]) {
        self.coolNs = coolNs
    }

    /// Take in an observation; returns whether a cap has just begun.
    ///
    /// Without `trustLatency` only a clock that can be read counts, since the governor makes frames
    /// slow for other reasons.
    mutating func see(
        index: Int, latencyNs: Int?, reading: ThermalReading?, trustLatency: Bool
    ) -> Bool {
        if let reading, !reading.cap.isNaN { cap = reading.cap }
        if let latencyNs { ratios.add(Double(latencyNs) / Double(coolNs[index])) }
        let before = capped
        if !cap.isNaN {
            capped = cap < Self.full
        } else if !trustLatency {
            capped = false
        } else if ratios.size == Self.frames {
            capped = ratios.ranked(Self.frames / 2) > (before ? Self.freeRatio : Self.cappedRatio)
        }
        return capped && !before
    }

    private static let frames = 31

    /// Median ratio to the cool latency from which the clock counts as capped.
    private static let cappedRatio = 1.06

    /// Median ratio up to which a capped clock counts as free again.
    private static let freeRatio = 1.03
    private static let full = 0.98
}
