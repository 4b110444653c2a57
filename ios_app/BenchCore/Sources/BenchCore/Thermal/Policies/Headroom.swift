/// `headroom`: by Android's own forecast of the thermal headroom.
///
/// One width narrower where the forecast passes a limit, one wider where it has stayed well below
/// it for a time. A device that gives no forecast is left to the deadline.
final class Headroom: Controller {
    private let limit: Double
    private let release: Double
    private let dwellNs: Double
    private let quietNs: Double
    private let staleNs: Double
    private let narrowest: Int
    private let guardian: Deadline
    private var index = 0
    private var movedNs: Int?
    private var lowSinceNs: Int?
    private var readNs: Int?

    private(set) var reason = Reason.hold
    private var isOfGuardian = false
    private var last = ThermalReading()

    init(_ widths: [WidthCost], _ aim: Aim, _ deadlineNs: Int, _ tuned: Parameters) {
        limit = aim.headroom ?? tuned["limit"]
        release = tuned["release"]
        dwellNs = tuned["dwell_ns"]
        quietNs = tuned["quiet_ns"]
        staleNs = tuned["stale_ns"]
        narrowest = widths.count - 1
        guardian = Deadline(widths, deadlineNs)
    }

    var inputs: [String: Double] {
        if isOfGuardian { return guardian.inputs }
        return reason == .hold ? [:] : last.known
    }

    func decide(tNs: Int, index: Int, latencyNs: Int?, reading: ThermalReading?) -> Int {
        let allowed = guardian.decide(
            tNs: tNs, index: index, latencyNs: latencyNs, reading: reading)
        var why = Reason.hold
        if let reading, !reading.headroom.isNaN {
            readNs = tNs
            last = reading
            why = step(tNs, reading.headroom)
        } else if passed(since: readNs, tNs) > staleNs {
            self.index = 0
            lowSinceNs = nil
        }
        isOfGuardian = allowed > self.index
        reason = isOfGuardian ? guardian.reason : why
        return isOfGuardian ? allowed : self.index
    }

    private func step(_ tNs: Int, _ headroom: Double) -> Reason {
        if headroom >= limit - release {
            lowSinceNs = nil
        } else if lowSinceNs == nil {
            lowSinceNs = tNs
        }
        if headroom > limit && passed(since: movedNs, tNs) >= dwellNs && index < narrowest {
            index += 1
            movedNs = tNs
            return .heat
        }
        guard let lowSinceNs, index > 0 else { return .hold }
        if Double(tNs - lowSinceNs) >= quietNs {
            index -= 1
            movedNs = tNs
            self.lowSinceNs = nil
            return .cooled
        }
        return .hold
    }

    static let parameters = [
        // Headroom above which it narrows, unless the aim has one.
        Parameter("limit", 0.9, 0, 10),
        // How far below it has to stay to widen again.
        Parameter("release", 0.1, 0, 10),
        // Least time between two steps to narrower widths.
        Parameter("dwell_ns", 20 * Double(secondNs), 0, hourNs),
        // Time that it has to stay below, to widen.
        Parameter("quiet_ns", 60 * Double(secondNs), 0, hourNs),
        // Age at which a forecast counts no longer.
        Parameter("stale_ns", 30 * Double(secondNs), 0, hourNs),
    ]
}
