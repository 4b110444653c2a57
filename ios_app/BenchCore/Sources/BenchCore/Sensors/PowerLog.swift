/// Keeps what the battery said over a run, and why no energy can be computed from it.
///
/// iOS tells an app the level and whether it charges; no current, no voltage and no counter.
public struct PowerLog: Sendable {
    private var fresh: [PowerReading] = []
    private var wasPlugged: Bool? = false
    private var isEmpty = true

    public init() {}

    public mutating func add(_ tNs: Int, _ battery: Battery) {
        fresh.append(
            PowerReading(tNs: tNs, level: battery.fraction, charging: battery.charging))
        // One reading with a charger, or one that does not tell, speaks for the whole run.
        if wasPlugged == false || battery.plugged == true { wasPlugged = battery.plugged }
        isEmpty = false
    }

    /// Return the readings since the last call, with what all of them show; nil without any.
    public mutating func take() -> Power? {
        if fresh.isEmpty { return nil }
        defer { fresh = [] }
        return Power(readings: fresh, doubts: doubts)
    }

    /// Why no energy can be computed from it, in clauses.
    public var doubts: [String] {
        let charger: String? =
            switch wasPlugged {
            case true?: "a charger was connected"
            case nil: "it is not known whether a charger was connected"
            case false?: nil
            }
        return ["the device gives no current"] + [charger].compactMap { $0 }
    }
}
