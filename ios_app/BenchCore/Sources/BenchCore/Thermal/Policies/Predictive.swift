/// `predictive`: keep a limit on heat by where the temperature goes.
///
/// The deadline is a guard: no width is wider than it allows.
///
///     limit     what the aim states, or the temperature at which the clock was capped first: that
///               one is learnt
///     forecast  the temperature now and its slope for a while; without it where a sensor is coarse
///     give up   where the narrowest network does not release a cap, the deadline alone counts for
///               long
///
/// The temperature is that of the skin; without it Android's headroom, then the battery. A trip
/// that is learnt from a late, coarse sensor is too low, so it creeps up. A cap in spite of it
/// shows that it is too high, so it falls. Without any sensor of what is limited the deadline alone
/// counts: latencies tell of a cap only by having one, so no limit can be kept.
final class Predictive: Controller {
    private let aim: Aim
    private let tuned: Tuned
    private let others: Aim
    private let narrowest: Int
    private let guardian: Deadline
    private var caps: CapWatch
    private var slope = Slope()
    private var last = ThermalReading()
    private var source: HeatSource?
    private var nowC = Double.nan
    private var sensedNs: Int?
    private var tripC = Double.nan
    private var creptNs = 0
    private var index = 0
    private var movedNs: Int?
    private var coolSinceNs: Int?
    private var waitNs: [Double]
    private var onTrial = false
    private var stuckSinceNs: Int?
    private var lookedNs = 0
    private var lookedC = Double.nan
    private var gaveUpNs: Int?

    private(set) var reason = Reason.hold
    private var isOfGuardian = false

    init(_ widths: [WidthCost], _ aim: Aim, _ deadlineNs: Int, _ tuned: Parameters) {
        self.aim = aim
        self.tuned = Tuned(tuned)
        var others = aim
        others.uncapped = false
        self.others = others
        narrowest = widths.count - 1
        guardian = Deadline(widths, deadlineNs)
        caps = CapWatch(coolNs: widths.map(\.coolNs))
        waitNs = Array(repeating: self.tuned.quietNs, count: widths.count)
    }

    var inputs: [String: Double] {
        if isOfGuardian { return guardian.inputs }
        return reason == .hold ? [:] : shown
    }

    func decide(tNs: Int, index: Int, latencyNs: Int?, reading: ThermalReading?) -> Int {
        let allowed = guardian.decide(
            tNs: tNs, index: index, latencyNs: latencyNs, reading: reading)
        let begins = caps.see(
            index: index, latencyNs: latencyNs, reading: reading,
            trustLatency: !guardian.followsLoad)
        if let reading { sense(reading, tNs) }
        var why = Reason.hold
        if passed(since: sensedNs, tNs) > tuned.staleNs {
            forget()
        } else if begins && aim.uncapped {
            why = learn(tNs)
        } else if sensedNs == tNs {
            why = look(tNs)
        }
        // Giving up and trying again are told even where the deadline keeps the width as it is.
        let isTold = why == .gaveUp || why == .triesAgain
        isOfGuardian = allowed > self.index && !isTold
        reason = isOfGuardian ? guardian.reason : why
        return max(allowed, self.index)
    }

    private var shown: [String: Double] {
        var numbers = last.known
        numbers["slope_c_per_s"] = slope.cPerS
        if !tripC.isNaN { numbers["trip_c"] = tripC }
        return numbers
    }

    /// Take in a reading.
    private func sense(_ reading: ThermalReading, _ tNs: Int) {
        last = reading
        let best = reading.heatSource
        nowC = .nan
        if let best {
            nowC = reading.warmthC(by: best)
            if best != source {
                source = best
                tripC = .nan
                slope.clear()
            }
            slope.add(tNs, nowC)
        }
        let tellsOfCaps = aim.uncapped && (best != nil || !reading.cap.isNaN)
        if tellsOfCaps || !others.excess(of: reading, capped: false).isNaN { sensedNs = tNs }
    }

    /// Leave all to the deadline, since what is limited has not been read for long, or never.
    private func forget() {
        index = 0
        movedNs = nil
        coolSinceNs = nil
        stuckSinceNs = nil
        gaveUpNs = nil
    }

    /// Take the temperature at which the clock was capped for the limit.
    private func learn(_ tNs: Int) -> Reason {
        if !nowC.isNaN {
            if tripC.isNaN {
                tripC = nowC
            } else if gaveUpNs == nil {  // what was learnt before has not kept the clock free
                tripC = min(tripC, nowC) - tuned.marginC
            }
            creptNs = tNs
        }
        if gaveUpNs != nil || index == narrowest { return .hold }
        fail(tNs)
        move(to: narrowest, tNs)
        return .capped
    }

    /// Decide by a new reading.
    private func look(_ tNs: Int) -> Reason {
        creep(tNs)
        if let since = gaveUpNs {
            if Double(tNs - since) < tuned.restNs { return .hold }
            gaveUpNs = nil
            move(to: narrowest, tNs)
            return .triesAgain
        }
        let excess = forecastExcess()
        if givesUp(excess, tNs) {
            gaveUpNs = tNs
            move(to: 0, tNs)
            return .gaveUp
        }
        return excess.isNaN ? .hold : step(excess, tNs)
    }

    /// Move by one width where that is due; return why.
    private func step(_ excess: Double, _ tNs: Int) -> Reason {
        if excess >= -tuned.releaseC || caps.capped {
            coolSinceNs = nil
        } else if coolSinceNs == nil {
            coolSinceNs = tNs
        }
        if excess > 0 && passed(since: movedNs, tNs) >= tuned.dwellNs && index < narrowest {
            fail(tNs)
            move(to: index + 1, tNs)
            return .heat
        }
        guard let coolSinceNs, index > 0 else { return .hold }
        if Double(tNs - coolSinceNs) < waitNs[index - 1] { return .hold }
        move(to: index - 1, tNs, tries: true)
        return .cooled
    }

    /// Return by how much the forecast is beyond where it acts; NaN where that is not known.
    private func forecastExcess() -> Double {
        let aheadC = slope.cPerS * tuned.horizonNs / Double(secondNs)
        let stated = aim.excess(of: last, capped: caps.capped) + aheadC
        return larger(stated, nowC + aheadC - tripC) + tuned.marginC
    }

    /// Return whether the narrowest width has not kept the limit, and will not soon.
    private func givesUp(_ excess: Double, _ tNs: Int) -> Bool {
        let isBroken = caps.capped || excess > tuned.marginC
        if index < narrowest || !isBroken {
            stuckSinceNs = nil
            return false
        }
        if stuckSinceNs == nil {
            lookedNs = tNs
            lookedC = .nan
        }
        let since = stuckSinceNs ?? tNs
        stuckSinceNs = since
        if Double(tNs - lookedNs) < tuned.patienceNs / 2 { return false }
        let falls = lookedC - nowC > Self.fallsC
        lookedNs = tNs
        lookedC = nowC
        return Double(tNs - since) >= tuned.patienceNs && !falls
    }

    /// Let the learnt trip rise.
    private func creep(_ tNs: Int) {
        if !tripC.isNaN && !caps.capped {
            tripC += tuned.creepC * (Double(tNs - creptNs) / Double(60 * secondNs))
        }
        creptNs = tNs
    }

    /// Let a width that was left soon after it was tried wait for longer the next time.
    private func fail(_ tNs: Int) {
        guard onTrial, let movedNs else { return }
        let failed = Double(tNs - movedNs) < tuned.trialNs
        waitNs[index] = failed ? min(tuned.longestNs, 2 * waitNs[index]) : tuned.quietNs
    }

    private func move(to width: Int, _ tNs: Int, tries: Bool = false) {
        index = width
        movedNs = tNs
        onTrial = tries
        coolSinceNs = nil
        stuckSinceNs = nil
    }

    /// The parameters; see `parameters`.
    private struct Tuned {
        let marginC, releaseC, horizonNs, dwellNs, quietNs, longestNs, trialNs, creepC: Double
        let patienceNs, restNs, staleNs: Double

        init(_ parameters: Parameters) {
            marginC = parameters["margin_c"]
            releaseC = parameters["release_c"]
            horizonNs = parameters["horizon_ns"]
            dwellNs = parameters["dwell_ns"]
            quietNs = parameters["quiet_ns"]
            longestNs = parameters["longest_ns"]
            trialNs = parameters["trial_ns"]
            creepC = parameters["creep_c"]
            patienceNs = parameters["patience_ns"]
            restNs = parameters["rest_ns"]
            staleNs = parameters["stale_ns"]
        }
    }

    static let parameters = [
        // Degrees below the limit where it acts.
        Parameter("margin_c", 0.5, 0, 20),
        // Degrees further below, where it widens again.
        Parameter("release_c", 1, 0, 20),
        // How far it forecasts.
        Parameter("horizon_ns", 30 * Double(secondNs), 0, hourNs),
        // Least time between two steps to narrower widths.
        Parameter("dwell_ns", 20 * Double(secondNs), 0, hourNs),
        // Time that it has to be cool, to widen.
        Parameter("quiet_ns", 30 * Double(secondNs), 0, hourNs),
        // The longest that this becomes by doubling.
        Parameter("longest_ns", 640 * Double(secondNs), 0, hourNs),
        // A width that is left within this time has failed.
        Parameter("trial_ns", 120 * Double(secondNs), 0, hourNs),
        // Degrees a minute by which a learnt trip rises.
        Parameter("creep_c", 0.02, 0, 1),
        // Time at the narrowest width until it gives up.
        Parameter("patience_ns", 120 * Double(secondNs), 0, hourNs),
        // Time for which it has given up.
        Parameter("rest_ns", 600 * Double(secondNs), 0, hourNs),
        // Age at which a reading counts no longer.
        Parameter("stale_ns", 30 * Double(secondNs), 0, hourNs),
    ]

    /// Fall within half of the patience that is worth more of it: two steps of a fine sensor.
    private static let fallsC = 0.2
}
