/// `threshold`: one width narrower above a limit, one wider well below it.
///
/// This is what people do by hand. It looks at what the aim limits; without a limit on heat, at the
/// latency against the cool one. Between two moves it waits for a dwell time.
final class Threshold: Controller {
    private let aim: Aim
    private let marginC: Double
    private let releaseC: Double
    private let slow: Double
    private let fast: Double
    private let dwellNs: Double
    private let isGuarded: Bool
    private let learns: Bool
    private let narrowest: Int
    private let guardian: Deadline
    private var caps: CapWatch

    /// Temperature of the skin where it acts too; NaN for none.
    private var atC: Double
    private var last = ThermalReading()
    private var index = 0
    private var movedNs: Int?

    private(set) var reason = Reason.hold
    private var isOfGuardian = false

    init(_ widths: [WidthCost], _ aim: Aim, _ deadlineNs: Int, _ tuned: Parameters) {
        self.aim = aim
        marginC = tuned["margin_c"]
        releaseC = tuned["release_c"]
        slow = tuned["slow"]
        fast = tuned["fast"]
        dwellNs = tuned["dwell_ns"]
        isGuarded = tuned["guarded"] != 0
        learns = tuned["learns"] != 0
        narrowest = widths.count - 1
        guardian = Deadline(widths, deadlineNs)
        caps = CapWatch(coolNs: widths.map(\.coolNs))
        atC = tuned["at_c"] == 0 ? .nan : tuned["at_c"]
    }

    var inputs: [String: Double] {
        if isOfGuardian { return guardian.inputs }
        return reason == .hold ? [:] : last.known
    }

    func decide(tNs: Int, index: Int, latencyNs: Int?, reading: ThermalReading?) -> Int {
        let allowed = guardian.decide(
            tNs: tNs, index: index, latencyNs: latencyNs, reading: reading)
        let begins = caps.see(
            index: index, latencyNs: latencyNs, reading: reading,
            trustLatency: !guardian.followsLoad)
        if let reading { last = reading }
        if begins && learns && atC.isNaN { atC = last.skinC }
        let why = reading != nil || begins ? step(tNs) : .hold
        isOfGuardian = isGuarded && allowed > self.index
        reason = isOfGuardian ? guardian.reason : why
        return isOfGuardian ? allowed : self.index
    }

    /// Move by one width where that is due; return why.
    private func step(_ tNs: Int) -> Reason {
        let byHeat = aim.hasLimit || !atC.isNaN
        let excess = byHeat ? excessOfHeat() : guardian.pace.value - slow
        let release = byHeat ? releaseC : slow - fast
        if excess.isNaN || passed(since: movedNs, tNs) < dwellNs { return .hold }
        if excess > 0 && index < narrowest {
            index += 1
            movedNs = tNs
            return .heat
        }
        if excess < -release && index > 0 {
            index -= 1
            movedNs = tNs
            return .cooled
        }
        return .hold
    }

    /// Return how far it is beyond where it acts; NaN where that is not known.
    private func excessOfHeat() -> Double {
        larger(
            aim.excess(of: last, capped: caps.capped) + marginC, last.skinC - atC + marginC)
    }

    static let parameters = [
        // Degrees below the limit where it acts.
        Parameter("margin_c", 0, -20, 50),
        // Degrees further below, where it widens again.
        Parameter("release_c", 2, 0, 50),
        // Temperature of the skin where it acts too; 0: none.
        Parameter("at_c", 0, 0, 100),
        // Without a limit: latency over cool where it acts.
        Parameter("slow", 1.12, 1, 100),
        // Without a limit: latency over cool where it widens again.
        Parameter("fast", 1.04, 1, 100),
        // Least time between two moves.
        Parameter("dwell_ns", 60 * Double(secondNs), 0, hourNs),
        // 1: never wider than the deadline allows.
        Parameter("guarded", 1, 0, 1),
        // 1: acts where the clock was capped first.
        Parameter("learns", 0, 0, 1),
    ]
}
