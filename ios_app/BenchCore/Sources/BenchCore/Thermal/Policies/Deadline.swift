/// `deadline`: as many accurate frames in time as the clock allows, from latency alone.
///
///     value of a width = its accuracy x the chance that it is in time at the pace seen now
///
/// A narrower width of greater value is taken at once. A wider one has to be of greater value for a
/// quiet time without a break; the time doubles for a width that failed soon after it was taken.
///
/// A governor that follows the load hides how fast the clock could be: at a narrow width everything
/// looks slow. So a wider width is probed now and then, often only where probing has helped.
final class Deadline: Controller {
    private let top1: [Double]
    private let deadlineNs: Int
    private let longestNs: Double
    private let trialNs: Double
    private let gain: Double

    /// For each width, how long it takes to be tried by `Reason.room`.
    private let room: Waits

    /// For each width, how long it takes to be tried by `Reason.probe`.
    private let probe: Waits

    /// For each width, when it came into reach; nil where it is not.
    private var sinceNs: [Int?]
    private var values: [Double]
    private var movedNs = 0

    /// How the width was reached; nil where it was reached from a wider one.
    private var trial: Waits?
    private var isProbing = false
    private var paceBeforeProbe = 1.0

    private(set) var pace: Pace

    /// Whether a probe has shown that the clock follows the load.
    private(set) var followsLoad = false

    /// Of the width that is wanted.
    private(set) var index = 0

    private(set) var reason = Reason.hold
    private var paceThen = 1.0
    private var waitedS = 0.0

    init(
        _ widths: [WidthCost], _ deadlineNs: Int,
        _ tuned: Parameters = Parameters(Deadline.parameters)
    ) {
        self.deadlineNs = deadlineNs
        top1 = widths.map(\.top1)
        longestNs = tuned["longest_ns"]
        trialNs = tuned["trial_ns"]
        gain = 1 + tuned["gain"]
        room = Waits(widths: widths.count, firstNs: tuned["quiet_ns"])
        probe = Waits(widths: widths.count, firstNs: tuned["probe_ns"])
        sinceNs = Array(repeating: nil, count: widths.count)
        values = Array(repeating: 0, count: widths.count)
        pace = Pace(coolNs: widths.map(\.coolNs))
    }

    var inputs: [String: Double] {
        reason == .hold ? [:] : ["pace": paceThen, "waited_s": waitedS]
    }

    func decide(tNs: Int, index: Int, latencyNs: Int?, reading: ThermalReading?) -> Int {
        reason = .hold
        guard let latencyNs else { return self.index }
        pace.add(index: index, latencyNs: latencyNs)
        if isProbing {
            if tNs - movedNs < Self.settleNs { return self.index }
            judgeProbe()
        }
        weigh(tNs)
        return self.index
    }

    /// Move to another width where that is due.
    private func weigh(_ tNs: Int) {
        var best = 0
        for at in values.indices {
            values[at] = top1[at] * pace.chance(index: at, deadlineNs: deadlineNs)
            if values[at] > values[best] { best = at }
        }
        var enough = values[index] * gain
        if values[best] == 0 {  // nothing is in time, and the narrowest is the least late
            best = values.count - 1
            enough = -1
        }
        if best > index && values[best] > enough {
            narrower(best, tNs)
        } else if !takeRoom(max(enough, 0), tNs) {
            tryProbe(tNs)
        }
    }

    /// Take a wider width that has been better for its quiet time; return whether there was one.
    private func takeRoom(_ enough: Double, _ tNs: Int) -> Bool {
        for wider in 0..<index {
            if values[wider] <= enough {
                sinceNs[wider] = nil
                continue
            }
            let since = sinceNs[wider] ?? tNs
            sinceNs[wider] = since
            if Double(tNs - since) >= room.ns[wider] {
                trial = room
                move(to: wider, .room, tNs)
                return true
            }
        }
        return false
    }

    /// Try the next wider width where that is due, and would be of use.
    private func tryProbe(_ tNs: Int) {
        let wider = index - 1
        if wider < 0 || Double(tNs - movedNs) < probe.ns[wider] { return }
        if top1[wider] <= top1[index] * gain { return }
        isProbing = true
        paceBeforeProbe = pace.value
        trial = probe
        move(to: wider, .probe, tNs)
    }

    private func narrower(_ best: Int, _ tNs: Int) {
        if let trial {
            let failed = Double(tNs - movedNs) < trialNs
            trial.ns[index] = failed ? min(longestNs, 2 * trial.ns[index]) : trial.firstNs
        }
        trial = nil
        move(to: best, .late, tNs)
    }

    private func move(to width: Int, _ why: Reason, _ tNs: Int) {
        reason = why
        paceThen = pace.value
        waitedS = Double(tNs - movedNs) / Double(secondNs)
        index = width
        movedNs = tNs
        for at in sinceNs.indices { sinceNs[at] = nil }
    }

    /// See whether the clock rose with the load of a probe.
    private func judgeProbe() {
        if pace.value < Self.faster * paceBeforeProbe && !followsLoad {
            followsLoad = true
            probe.takeOver(room)
        }
        isProbing = false
    }

    /// How long a way to wider widths takes, for each width; `firstNs` before any has failed.
    private final class Waits {
        var firstNs: Double
        var ns: [Double]

        init(widths: Int, firstNs: Double) {
            self.firstNs = firstNs
            ns = Array(repeating: firstNs, count: widths)
        }

        func takeOver(_ other: Waits) {
            firstNs = other.firstNs
            for at in ns.indices { ns[at] = other.ns[at] }
        }
    }

    static let parameters = [
        // Time that a wider width has to be in reach.
        Parameter("quiet_ns", 10 * Double(secondNs), 0, hourNs),
        // The longest that waiting becomes by doubling.
        Parameter("longest_ns", 640 * Double(secondNs), 0, hourNs),
        // A width that is left within this time has failed.
        Parameter("trial_ns", 60 * Double(secondNs), 0, hourNs),
        // Time before the next wider width is probed.
        Parameter("probe_ns", 240 * Double(secondNs), 1 * Double(secondNs), hourNs),
        // Share by which another width has to be better.
        Parameter("gain", 0.02, 0, 1),
    ]

    /// A pace below this share of the one before a probe: the clock follows the load.
    private static let faster = 0.97

    /// Time that a governor has to answer a probe.
    private static let settleNs = secondNs / 4
}
